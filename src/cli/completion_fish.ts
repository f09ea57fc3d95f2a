import type { ArgumentKind, CompletionNode } from "./completion_tree.ts";

/**
 * Completion for fish 3 and newer, with descriptions.
 *
 * @param program The command's name.
 * @param nodes All commands, the program itself first.
 */
export function fishCompletion(program: string, nodes: readonly CompletionNode[]): string {
  const name = `__${program.replaceAll("-", "_")}`;
  const steps = nodes.flatMap(({ path, commands }) =>
    commands.map(({ names }) =>
      `      case ${names.map((one) => quoted(`${path.join(" ")}:${one}`)).join(" ")}\n` +
      `        set at ${quoted([...path, names[0]].join(" "))}`
    )
  );
  const lines = nodes.flatMap(({ path, commands, options, argument }) => {
    const here = `complete -c ${program} -n ${quoted(`${name}_at ${quoted(path.join(" "))}`)}`;
    return [
      ...commands.map(({ names, about }) =>
        `${here} -a ${quoted(names[0] ?? "")} -d ${quoted(firstLine(about))}`
      ),
      ...options.map(({ names, about, value }) => {
        const spelled = names.map((one) =>
          one.startsWith("--") ? `-l ${one.slice(2)}` : `-s ${one.slice(1)}`
        );
        return `${here} ${spelled.join(" ")} -d ${quoted(firstLine(about))}${
          value === undefined ? "" : valueOf(value, name)
        }`;
      }),
      ...(argument === "none" ? [] : [`${here}${argumentOf(argument, name)}`]),
    ];
  });
  return `# fish completion for ${program}; made by: ${program} completions fish
function ${name}_at -d "Whether the command line has come to this command"
  set -l at ''
  set -l typed (commandline -opc)
  for word in $typed[2..-1]
    switch "$at:$word"
${steps.join("\n")}
    end
  end
  test "$at" = "$argv[1]"
end
function ${name}_aliases
  set -l typed (commandline -opc)
  $typed[1] completions --aliases 2>/dev/null
end
complete -c ${program} -f
${lines.join("\n")}
`;
}

/** What stands behind an option: something of ours alone, or a file. */
function valueOf(value: ArgumentKind, name: string): string {
  return value === "file" ? " -r -F" : ` -x${argumentOf(value, name)}`;
}

function argumentOf(kind: ArgumentKind, name: string): string {
  if (kind === "file") return " -F";
  if (kind === "alias") return ` -a ${quoted(`(${name}_aliases)`)}`;
  return kind === "none" ? "" : ` -a ${quoted(kind.join(" "))}`;
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
