import type { ArgumentKind, CompletionNode } from "./completion_tree.ts";

/**
 * Completion for bash 3.2 (macOS) and newer, without the bash-completion package.
 *
 * @param program The command's name.
 * @param nodes All commands, the program itself first.
 */
export function bashCompletion(program: string, nodes: readonly CompletionNode[]): string {
  const name = `_${program.replaceAll("-", "_")}`;
  const steps = nodes.flatMap(({ path, commands }) =>
    commands.map(({ names }) => {
      const from = path.join(" ");
      const patterns = names.map((one) => `"${from}:${one}"`).join("|");
      return `      ${patterns}) at="${[...path, names[0]].join(" ")}" ;;`;
    })
  );
  const cases = nodes.map(({ path, commands, options, argument }) => {
    const words = [
      ...commands.flatMap(({ names }) => names),
      ...(Array.isArray(argument) ? argument : []),
    ];
    const switches = options.flatMap(({ names }) => names);
    return `    "${path.join(" ")}") words="${words.join(" ")}" options="${
      switches.join(" ")
    }" kind=${kindWord(argument)} ;;`;
  });
  const values = nodes.flatMap(({ path, options }) =>
    options.flatMap(({ names, value }) =>
      value === undefined ? [] : [
        `      ${names.map((one) => `"${path.join(" ")}:${one}"`).join("|")}) ` +
        `options= words="${Array.isArray(value) ? value.join(" ") : ""}" kind=${
          kindWord(value)
        } ;;`,
      ]
    )
  );
  return `# bash completion for ${program}; made by: ${program} completions bash
${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} at= words= options= kind=none index word
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$at:\${COMP_WORDS[index]}" in
${steps.join("\n")}
    esac
  done
  case "$at" in
${cases.join("\n")}
  esac
  if ((COMP_CWORD > 1)); then
    case "$at:\${COMP_WORDS[COMP_CWORD - 1]}" in
${values.join("\n")}
    esac
  fi
  COMPREPLY=()
  [[ $current == -* ]] && words=$options kind=none
  for word in $words; do
    [[ $word == "$current"* ]] && COMPREPLY+=("$word")
  done
  case $kind in
    alias)
      # Aliases are compared, never expanded: they are somebody's text.
      while IFS= read -r word; do
        [[ $word == "$current"* ]] && COMPREPLY+=("$word")
      done < <("\${COMP_WORDS[0]}" completions --aliases 2>/dev/null)
      ;;
    file)
      compopt -o filenames 2>/dev/null
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
      ;;
  esac
}
complete -F ${name} ${program}
`;
}

function kindWord(kind: ArgumentKind): string {
  return typeof kind === "string" ? kind : "none";
}
