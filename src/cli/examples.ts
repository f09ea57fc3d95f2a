/** A command that prints its own help. */
interface Explained {
  helpInformation(): string;
}

/** Puts examples at the end of a command's help, however that is asked for. Those that it has already stay alone. */
export function addExamples(command: Explained, ...lines: readonly string[]): void {
  const help = command.helpInformation.bind(command);
  const examples = lines.map((line) => `  ${line}\n`).join("");
  command.helpInformation = () => {
    const text = help();
    return /^Examples:$/m.test(text) ? text : `${text}\nExamples:\n${examples}`;
  };
}
