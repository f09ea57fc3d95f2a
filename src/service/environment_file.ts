import { Failure } from "../platform/failure.ts";

/**
 * Variables in the form that systemd's `EnvironmentFile=` and a POSIX shell both read back as they
 * were.
 *
 * @throws {Failure} when a value holds a NUL or a line break, which no such file can carry safely.
 */
export function environmentFile(variables: Readonly<Record<string, string>>): string {
  const lines = Object.entries(variables).map(([name, value]) => {
    if (/[\0\r\n]/.test(value)) {
      throw new Failure(
        `The variable ${name} holds a line break.`,
        "Set it to one line, or unset it, and install the service again.",
      );
    }
    return `${name}="${value.replace(/[\\"$`]/g, "\\$&")}"\n`;
  });
  return `# Written by "service install"; install it again to change it.\n${lines.join("")}`;
}

/** The variables in a text of {@linkcode environmentFile}. */
export function variablesIn(text: string): Readonly<Record<string, string>> {
  const lines = text.matchAll(/^(\w+)="((?:[^\\"]|\\.)*)"$/gm);
  return Object.fromEntries(
    [...lines].map(([, name = "", value = ""]) => [name, value.replace(/\\(.)/g, "$1")]),
  );
}
