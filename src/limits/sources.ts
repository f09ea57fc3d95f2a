/**
 * The three ways to an account's figures.
 *
 * @module
 */
import type { Account } from "../account/account.ts";
import { fetchUsage } from "../codex/usage_question.ts";
import { type CodexAnswer, missing, type ProgramQuestion } from "../codex_cli/answer.ts";
import { askAppServer } from "../codex_cli/app_server.ts";
import { askExec } from "../codex_cli/exec.ts";
import { codexEnvironment, locateCodex } from "../codex_cli/program.ts";
import { clearSandbox, loginOf, prepareSandbox } from "../codex_cli/sandbox.ts";
import type { Clock } from "../platform/clock.ts";
import { Failure, messageOf } from "../platform/failure.ts";
import type { Environment } from "../platform/paths.ts";
import type { Usage } from "../quota/usage.ts";

/** A way to figures by its name. */
export type SourceName = "usage" | "app-server" | "exec";

/** What came of asking. */
export type LimitAnswer =
  | { readonly kind: "read"; readonly usage: Usage; readonly askedAt: number }
  | { readonly kind: "unauthorized" }
  | {
    readonly kind: "failed";
    /** One sentence. */
    readonly cause: string;
    /** What to do about it, one sentence. */
    readonly fix: string;
    /** Whether nobody could be reached at all. */
    readonly offline?: boolean;
  };

/** Asks about one account, whose token is fresh. */
export type Source = (account: Account, signal: AbortSignal) => Promise<LimitAnswer>;

/** What the sources need. */
export interface SourceOptions {
  readonly env: Environment;
  /** The folder from which a relative `CODEX_CLI_BIN` counts. */
  readonly folder: string;
  readonly fetch: typeof fetch;
  readonly backend: string;
  readonly clock: Clock;
  /** Aliases of all accounts: no two share a sandbox. */
  readonly aliases: () => readonly string[];
  /** Whether no token may stay on disk in plain text: the store is sealed. */
  readonly sealed: () => boolean;
  /** Milliseconds that the Codex CLI may take (default a minute). */
  readonly limitMs?: number;
}

/** All sources. */
export function limitSources(options: SourceOptions): Readonly<Record<SourceName, Source>> {
  return {
    usage: async (account, signal) => {
      const answer = await fetchUsage(account, { ...options, signal });
      if (answer.kind !== "failed") return answer;
      const offline = !/^status \d|nobody understands/.test(answer.cause);
      return {
        kind: "failed",
        cause: `The usage endpoint gave no figures (${answer.cause}).`,
        fix: offline
          ? "Look whether this machine reaches chatgpt.com, and try again."
          : "Try again later, or ask with --source app-server.",
        offline,
      };
    },
    "app-server": (account, signal) => throughCodex(account, signal, options, askAppServer),
    exec: (account, signal) => throughCodex(account, signal, options, askExec),
  };
}

/** Asks the Codex CLI in the account's own sandbox. */
async function throughCodex(
  account: Account,
  signal: AbortSignal,
  options: SourceOptions,
  ask: (question: ProgramQuestion) => Promise<CodexAnswer>,
): Promise<LimitAnswer> {
  const { env, clock, limitMs } = options;
  const program = locateCodex(env, options.folder);
  if (program === undefined) return missing(env);
  let sandbox: string;
  try {
    sandbox = prepareSandbox(account, options.aliases(), env, clock.now());
  } catch (error) {
    if (error instanceof Failure) return failed(error.message, "");
    return failed(
      `The sandbox of ${account.alias} below ~/.codex-multi cannot be written (${
        messageOf(error)
      }).`,
      "Make it yours and writable, or ask with --source usage.",
    );
  }
  try {
    return await ask({
      program,
      sandbox,
      env: codexEnvironment(env, sandbox),
      clock,
      signal,
      workspaceId: account.identity?.workspaceId,
      ...(limitMs === undefined ? {} : { limitMs }),
      ...(options.sealed() ? { forget: loginOf(sandbox) } : {}),
    });
  } finally {
    if (options.sealed()) clearSandbox(sandbox);
  }
}

function failed(cause: string, fix: string): LimitAnswer {
  return { kind: "failed", cause, fix };
}
