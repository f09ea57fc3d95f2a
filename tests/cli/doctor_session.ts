import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Context } from "../../src/cli/context.ts";
import { PACKAGE, VERSION } from "../../src/platform/version.ts";
import type { Ran, Session } from "./session.ts";

/** OpenCode's configuration, in the home folder. */
export const CONFIG = ".config/opencode/opencode.json";
/** OpenCode's credentials. */
export const AUTH = ".local/share/opencode/auth.json";
/** The store folder. */
export const STORE = ".config/opencode-multi-auth";

/** Its programs are those of the test alone, so that nothing of this machine is found. */
export function doctor(session: Session, args: readonly string[], changes: Partial<Context> = {}) {
  const env = { HOME: session.home, PATH: join(session.home, "bin") };
  return session.runWith({ env, ...changes }, "doctor", ...args);
}

/** Writes a file into the home folder. */
export function put(session: Session, path: string, text: string, mode = 0o600): void {
  const file = join(session.home, path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, text);
  chmodSync(file, mode);
}

/** A machine on which only a few things are wrong. */
export async function setUp(session: Session): Promise<void> {
  session.useFixture("v1.json");
  await session.run("remove", "backup");
  chmodSync(session.folder, 0o700);
  chmodSync(join(session.folder, "accounts.json"), 0o644);
  put(session, CONFIG, JSON.stringify({ plugin: ["github:guard22/opencode-multi-auth-codex"] }));
  const loads = `/bin/grep -q '${PACKAGE}@' "$XDG_CONFIG_HOME/opencode/opencode.json" && ` +
    `echo "2026-11-25T03:00:00Z [info] ${PACKAGE} ${VERSION} loaded by OpenCode, pid 1" > "$CODEX_SOFT_LOG_PATH"`;
  put(session, "bin/opencode", `#!/bin/sh\n${loads}\necho 1.18.33\n`, 0o755);
}

/** What `doctor --json` prints. */
export interface Report {
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly group: string;
    readonly state: string;
    readonly text: string;
    readonly fix?: string;
    readonly fixed?: boolean;
  }[];
  readonly backups?: readonly string[];
}

/** Reads it. */
export const reportOf = ({ out }: Ran): Report => JSON.parse(out) as Report;
