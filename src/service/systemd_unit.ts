import { Failure } from "../platform/failure.ts";
import { PROGRAM } from "../platform/version.ts";
import { type ServiceSettings, settingsIn } from "./service.ts";

/**
 * A unit for the person's own systemd.
 *
 * Its protection needs neither privileges nor user namespaces: options such as `ProtectSystem` and
 * `PrivateTmp` make a user's service fail to start wherever the kernel forbids those (Ubuntu 24.04,
 * hardened kernels). `MemoryDenyWriteExecute` is not possible with a JavaScript engine that compiles,
 * `RestrictNamespaces` would take Codex its sandbox.
 *
 * @param command The program and its arguments, the first an absolute path.
 * @param environmentFile Variables of the service, one a line.
 * @throws {Failure} when a path cannot be written into a unit.
 */
export function systemdUnit(command: readonly string[], environmentFile: string): string {
  return `[Unit]
Description=OpenCode multi-auth dashboard
# Five starts within five minutes, then it stays down until somebody looks: "${PROGRAM} service logs".
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=simple
EnvironmentFile=${environmentPath(environmentFile)}
ExecStart=${execStart(command)}
Restart=on-failure
RestartSec=3
# Wrong usage does not get better by itself.
RestartPreventExitStatus=2
# Whatever it writes is for its owner alone, and a crash leaves no memory with tokens on the disk.
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native

[Install]
WantedBy=default.target
`;
}

/** `ExecStart=`, each word as systemd reads it back. */
function execStart(words: readonly string[]): string {
  for (const word of words) refuseBreaks(word);
  const command = startable(words);
  // A colon keeps systemd from replacing $NAME; doubled dollars would not help in the program's path.
  const colon = command.some((word) => word.includes("$")) ? ":" : "";
  return colon + command.map(execWord).join(" ");
}

/** systemd takes no program with a quote or a backslash in its path, but starts what does. */
function startable(command: readonly string[]): readonly string[] {
  const [program = ""] = command;
  if (!/["'\\]/.test(program)) return command;
  if (program.includes("=")) {
    throw new Failure(
      `systemd cannot start ${JSON.stringify(program)}.`,
      "Move it to a folder without quotes and equals signs in its name.",
    );
  }
  return ["/usr/bin/env", ...command];
}

function execWord(word: string): string {
  const text = word.replaceAll("%", "%%");
  if (/^[A-Za-z0-9][\w.:=,@+-]*$|^--?[a-z][\w=,-]*$/.test(text)) return text;
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/** A path alone on its line: no quotes, but `%` means something, and so do the characters of a glob. */
function environmentPath(path: string): string {
  refuseBreaks(path);
  return path.replace(/[\\*?[\]]/g, "\\$&").replaceAll("%", "%%");
}

function refuseBreaks(word: string): void {
  // deno-lint-ignore no-control-regex -- these are what a unit cannot hold
  if (/[\u0000-\u001f\u007f]/.test(word)) {
    throw new Failure(
      `The path ${JSON.stringify(word)} holds a control character.`,
      "Move it to a folder with an ordinary name.",
    );
  }
}

/** The host and the port in a unit's `ExecStart=`, be it ours or an older project's. */
export function unitSettings(unit: string): ServiceSettings {
  const line = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? "";
  return settingsIn(line.split(/\s+/).map((word) => word.replace(/^"(.*)"$/, "$1")));
}
