import { Failure } from "../platform/failure.ts";
import { type ServiceSettings, settingsIn } from "./service.ts";

/** What launchd is told about an agent. */
export interface Agent {
  readonly label: string;
  /** The program and its arguments, the first an absolute path. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The folder it starts in. */
  readonly folder: string;
  /** Where what it prints goes. */
  readonly log: string;
}

type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

/** An agent's property list. It holds the environment, so it has to be for its owner alone. */
export function launchdPlist({ label, command, environment, folder, log }: Agent): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${
    element({
      Label: label,
      ProgramArguments: command,
      EnvironmentVariables: environment,
      WorkingDirectory: folder,
      RunAtLoad: true,
      // After a crash again, but not more often than every ten seconds.
      KeepAlive: { SuccessfulExit: false },
      ThrottleInterval: 10,
      // 0077; property lists know decimal numbers alone.
      Umask: 63,
      SoftResourceLimits: { Core: 0 },
      HardResourceLimits: { Core: 0 },
      StandardOutPath: log,
      StandardErrorPath: log,
    })
  }
</plist>
`;
}

function element(value: Value, indent = ""): string {
  const inner = `${indent}\t`;
  if (typeof value === "string") return `${indent}<string>${escaped(value)}</string>`;
  if (typeof value === "number") return `${indent}<integer>${value}</integer>`;
  if (typeof value === "boolean") return `${indent}<${value}/>`;
  if (isList(value)) {
    return [`${indent}<array>`, ...value.map((one) => element(one, inner)), `${indent}</array>`]
      .join("\n");
  }
  const entries = Object.entries(value).map(([key, one]) =>
    `${inner}<key>${escaped(key)}</key>\n${element(one, inner)}`
  );
  return [`${indent}<dict>`, ...entries, `${indent}</dict>`].join("\n");
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function escaped(text: string): string {
  // deno-lint-ignore no-control-regex -- XML has no way to write these, and turns a lone CR into LF
  if (/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/.test(text) || !text.isWellFormed()) {
    throw new Failure(
      `${JSON.stringify(text)} holds a character that a property list cannot.`,
      "Rename the folder or unset the variable that holds it.",
    );
  }
  return text.replace(/[&<>]/g, (character) => ENTITIES[character] ?? character);
}

/** The host and the port in an agent's property list. */
export function plistSettings(plist: string): ServiceSettings {
  return settingsIn(
    [...plist.matchAll(/<string>([^<]*)<\/string>/g)].map((found) => found[1] ?? ""),
  );
}

/** The variables in an agent's property list. */
export function plistEnvironment(plist: string): Readonly<Record<string, string>> {
  const inner = /<key>EnvironmentVariables<\/key>\s*<dict>([^]*?)<\/dict>/.exec(plist)?.[1] ?? "";
  const entries = inner.matchAll(/<key>([^<]*)<\/key>\s*<string>([^<]*)<\/string>/g);
  return Object.fromEntries(
    [...entries].map(([, name = "", value = ""]) => [unescaped(name), unescaped(value)]),
  );
}

function unescaped(text: string): string {
  return Object.entries(ENTITIES).reduceRight(
    (result, [character, entity]) => result.replaceAll(entity, character),
    text,
  );
}
