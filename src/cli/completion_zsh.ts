import type { ArgumentKind, CompletionNode } from "./completion_tree.ts";

/**
 * Completion for zsh, with descriptions.
 *
 * @param program The command's name.
 * @param nodes All commands, the program itself first.
 */
export function zshCompletion(program: string, nodes: readonly CompletionNode[]): string {
  const name = `_${program.replaceAll("-", "_")}`;
  const steps = nodes.flatMap(({ path, commands }) =>
    commands.map(({ names }) =>
      `      (${names.map((one) => quoted(`${path.join(" ")}:${one}`)).join("|")}) at=${
        quoted([...path, names[0]].join(" "))
      } ;;`
    )
  );
  const cases = nodes.map(({ path, commands, options, argument }) =>
    [
      `    (${quoted(path.join(" "))})`,
      `      commands=(${
        commands.map(({ names, about }) => described(names[0] ?? "", about)).join(" ")
      })`,
      `      options=(${
        options.flatMap(({ names, about }) => names.map((one) => described(one, about))).join(" ")
      })`,
      `      ${setting(argument)} ;;`,
    ].join("\n")
  );
  const values = nodes.flatMap(({ path, options }) =>
    options.flatMap(({ names, value }) =>
      value === undefined ? [] : [
        `    (${
          names.map((one) => quoted(`${path.join(" ")}:${one}`)).join("|")
        }) commands=() options=() ${setting(value)} ;;`,
      ]
    )
  );
  return `#compdef ${program}
# zsh completion for ${program}; made by: ${program} completions zsh
${name}() {
  local at= kind=none index
  local -a commands options choices aliases
  for ((index = 2; index < CURRENT; index++)); do
    case "$at:\${words[index]}" in
${steps.join("\n")}
    esac
  done
  case "$at" in
${cases.join("\n")}
  esac
  case "$at:\${words[CURRENT-1]}" in
${values.join("\n")}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe option options
    return
  fi
  (( $#commands )) && _describe command commands
  (( $#choices )) && compadd -- $choices
  case $kind in
    (alias)
      aliases=("\${(@f)$("\${words[1]}" completions --aliases 2>/dev/null)}")
      compadd -- $aliases
      ;;
    (file) _files ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  ${name} "$@"
else
  compdef ${name} ${program}
fi
`;
}

function setting(kind: ArgumentKind): string {
  const choices = Array.isArray(kind) ? kind.map(quoted).join(" ") : "";
  return `kind=${typeof kind === "string" ? kind : "none"} choices=(${choices})`;
}

/** `name:what it is`, as _describe reads it. */
function described(name: string, about: string): string {
  return quoted(`${name.replaceAll(":", "\\:")}:${about.split("\n")[0] ?? ""}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
