/**
 * The Codex CLI's own login, in a folder of its own: in a folder that holds tokens `codex login`
 * revokes them before anything else, even when the login is then given up.
 *
 * @module
 */
import { join } from "node:path";
import { errorCode, Failure } from "../platform/failure.ts";
import { type FileSystem, systemFiles } from "../platform/files.ts";
import { type Environment, set } from "../platform/paths.ts";
import { builtin, runtime } from "../platform/runtime.ts";
import { isAlive } from "../store/accounts_copies.ts";
import { readLogin } from "../store/imported_login.ts";
import type { Newcomer } from "../store/admission.ts";
import { readAuthFile } from "./auth_file.ts";
import { STORE_SETTING } from "./credential_store.ts";
import { codexEnvironment, codexProgram } from "./program.ts";

/** Runs a program on the person's terminal and gives its exit status; rejects when it cannot be started. */
export type RunInTerminal = (
  command: string,
  args: readonly string[],
  env: Environment,
) => Promise<number>;

/** What a login through the Codex CLI takes. */
export interface CodexLoginOptions {
  readonly env: Environment;
  /** Our issuer, without a slash at the end. */
  readonly issuer: string;
  /** Where the login's folder is made; private. */
  readonly folder: string;
  /** What is handed on to `codex login`. */
  readonly args: readonly string[];
  readonly run: RunInTerminal;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly files?: FileSystem;
}

const PREFIX = "codex-login-";

/**
 * Signs in with `codex login` and gives the login. Its folder is gone afterwards, whatever happens.
 *
 * @throws {Failure} when Codex cannot be started, ends without a login, or signs in elsewhere.
 */
export async function loginWithCodex(options: CodexLoginOptions): Promise<Newcomer> {
  const { env, issuer, folder, args, run, now, files = systemFiles } = options;
  const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = builtin("node:fs");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  removeAbandoned(folder, files);
  // Made with 0700 by the system call itself.
  const home = mkdtempSync(join(folder, `${PREFIX}${runtime.pid}-`));
  try {
    // The person's own setting may say keyring, and then nothing would be found here.
    writeFileSync(join(home, "config.toml"), `${STORE_SETTING} = "file"\n`, { mode: 0o600 });
    const command = codexProgram(env);
    const moved = set(env["OPENCODE_MULTI_AUTH_ISSUER_URL"]);
    const where = moved === undefined ? [] : ["--experimental_issuer", issuer];
    const code = await run(command, ["login", ...where, ...args], codexEnvironment(env, home))
      .catch((error) => {
        throw new Failure(
          `${command} cannot be started (${errorCode(error) ?? "no reason given"}).`,
          "Install the Codex CLI (npm install -g @openai/codex), or name it with CODEX_CLI_BIN.",
        );
      });
    const reading = readAuthFile(join(home, "auth.json"), files);
    if (reading.kind === "absent" || code !== 0) {
      throw new Failure(
        `codex login ended ${code === 0 ? "without a login" : `with status ${code}`}; ` +
          "nothing was changed.",
        "Try again, or sign in without Codex: opencode-multi-auth add <alias>",
      );
    }
    if (reading.kind === "unreadable") {
      throw new Failure(`What codex login wrote cannot be used: ${reading.why}.`, "Update Codex.");
    }
    const login = readLogin(reading.json, { issuer, now });
    if ("why" in login) {
      throw new Failure(`The login of codex login cannot be used: ${login.why}.`);
    }
    return login;
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

/** Folders of logins whose process was killed: tokens may lie in them. */
function removeAbandoned(folder: string, files: FileSystem): void {
  for (const name of files.list(folder).filter((name) => name.startsWith(PREFIX))) {
    const pid = Number(/^\d+/.exec(name.slice(PREFIX.length))?.[0] ?? "0");
    if (pid === 0 || isAlive(pid)) continue;
    builtin("node:fs").rmSync(join(folder, name), { recursive: true, force: true });
  }
}
