import { stripVTControlCharacters } from "node:util";
import type { Clock } from "../platform/clock.ts";
import type { Environment } from "../platform/paths.ts";
import { redact } from "../platform/redaction.ts";
import type { Usage } from "../quota/usage.ts";
import { type ChildOutcome, startChild } from "./child.ts";
import { INSTALL } from "./program.ts";

/** What came of asking the Codex CLI about an account's limits. */
export type CodexAnswer =
  /** `askedAt`, epoch milliseconds, is how old its figures are. */
  | { readonly kind: "read"; readonly usage: Usage; readonly askedAt: number }
  /** The backend does not take the access token. */
  | { readonly kind: "unauthorized" }
  /** Two sentences: what is wrong, and what to do about it. */
  | { readonly kind: "failed"; readonly cause: string; readonly fix: string };

/** What a question through the Codex CLI needs. */
export interface CodexQuestion {
  /** The Codex CLI; undefined where there is none. */
  readonly program: string | undefined;
  /** The account's sandbox, made ready. */
  readonly sandbox: string;
  /** The environment for the Codex CLI. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Ends the question, and every process of it, at once. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that it may take (default a minute). */
  readonly limitMs?: number;
  /** A file that must not outlive this process, even where that dies suddenly. */
  readonly forget?: string | undefined;
}

/** A question where there is a Codex CLI to ask. */
export type ProgramQuestion = CodexQuestion & {
  readonly program: string;
  /** A session of another workspace says nothing about the account. */
  readonly workspaceId?: string | undefined;
};

/** Longest that a question may take, in milliseconds. */
export const LIMIT_MS = 60_000;
/** Most that the Codex CLI may write, in bytes. */
export const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Options for every start of the Codex CLI: its login is the file in its home whatever the person keeps
 * theirs in, and nothing else is started or fetched for a question about limits. Features are turned off
 * by setting, which older versions pass over, not by `--disable`, which they refuse.
 */
export const QUIET_OPTIONS = [
  'cli_auth_credentials_store="file"',
  "notify=[]",
  "features.plugins=false",
  "features.apps=false",
].flatMap((setting) => ["-c", setting]);

/** There is no Codex CLI. */
export function missing(env: Environment): Extract<CodexAnswer, { kind: "failed" }> {
  const asked = env["CODEX_CLI_BIN"]?.trim();
  return {
    kind: "failed",
    cause: asked
      ? `CODEX_CLI_BIN names ${short(asked)}, which is no program.`
      : "The Codex CLI (codex) was not found.",
    fix: `Install it (${INSTALL}) or name it in CODEX_CLI_BIN, or ask with --source usage.`,
  };
}

/**
 * Says what went wrong with a run of the Codex CLI that brought no figures.
 *
 * @param command What was run, such as `codex exec`.
 */
export async function failureOf(
  command: string,
  { end, stdout, stderr }: ChildOutcome,
  question: CodexQuestion,
): Promise<CodexAnswer> {
  const failed = (cause: string, fix: string): CodexAnswer => ({ kind: "failed", cause, fix });
  const unstarted = (why: string) =>
    failed(
      `${command} could not be started (${why}).`,
      `Install it anew (${INSTALL}), or ask with --source usage.`,
    );
  const byHand =
    `To see why: CODEX_HOME=${question.sandbox} ${command}; or ask with --source usage.`;
  switch (end.kind) {
    case "stopped":
      return failed(`${command} was stopped.`, "Ask again when you want to.");
    case "time limit":
      return failed(
        `${command} gave no answer within ${
          Math.round((question.limitMs ?? LIMIT_MS) / 1000)
        } s and was ended.`,
        "Look whether this machine reaches chatgpt.com, or ask with --source usage.",
      );
    case "too much output":
      return failed(`${command} wrote without an end and was ended.`, byHand);
    case "not started":
      return unstarted(short(end.cause));
    case "exit": {
      if (/unrecognized subcommand|unexpected argument|invalid subcommand/i.test(stderr)) {
        const version = await versionOf(question);
        return failed(
          `The Codex CLI${version === undefined ? "" : ` ${version}`} is too old for ${command}.`,
          `Update it (${INSTALL}), or ask with --source usage.`,
        );
      }
      const said = lastLine(stderr) ?? lastLine(stdout);
      // The shell's own words for that, and those of env, which looks for npm's runtime.
      if (end.code === 126 || end.code === 127) return unstarted(said ?? `code ${end.code}`);
      return failed(
        `${command} ended with code ${end.code ?? "?"}${said === undefined ? "" : ` (${said})`}.`,
        byHand,
      );
    }
  }
}

/** The version that `codex --version` names. */
async function versionOf(question: CodexQuestion): Promise<string | undefined> {
  if (question.program === undefined) return undefined;
  const { stdout } = await startChild(question.program, ["--version"], {
    env: question.env,
    folder: question.sandbox,
    input: "closed",
    limitMs: 5_000,
    maxBytes: 10_000,
    clock: question.clock,
    signal: question.signal,
    forget: question.forget,
  }).outcome;
  return /\d+\.\d+\.\d+[\w.-]*/.exec(stdout)?.[0];
}

/** The last line that says something, fit for a person's eyes. */
function lastLine(text: string): string | undefined {
  const line = text.split("\n").findLast((one) => one.trim() !== "");
  return line === undefined ? undefined : short(line);
}

/** Text of somebody else's on one line: no token, nothing that steers a terminal, not too long. */
export function short(text: string): string {
  const clean = redact(stripVTControlCharacters(text)).replace(/[\p{Cc}\s]+/gu, " ").trim();
  return clean.length > 160 ? `${clean.slice(0, 159)}…` : clean;
}
