import { type FileSystem, systemFiles } from "../platform/files.ts";
import {
  type CodexAnswer,
  failureOf,
  LIMIT_MS,
  MAX_BYTES,
  type ProgramQuestion,
  QUIET_OPTIONS,
} from "./answer.ts";
import { startChild } from "./child.ts";
import { newestLimits, rollouts } from "./rollout.ts";

/** What the model is asked: the shortest answer, and nothing done on the machine. */
const PROMPT = "Reply ONLY with OK. Do not run any commands.";

/**
 * Asks for an account's limits with a real request through `codex exec`: the figures come with the
 * answer, and with a refusal, and are read from the rollout that it leaves. Costs some quota.
 */
export async function askExec(
  question: ProgramQuestion,
  files: FileSystem = systemFiles,
): Promise<CodexAnswer> {
  const { clock, sandbox } = question;
  const askedAt = clock.now();
  const before = new Set(rollouts(sandbox, files));
  const outcome = await startChild(
    question.program,
    [
      "exec",
      "--skip-git-repo-check",
      "--cd",
      sandbox,
      "--sandbox",
      "read-only",
      "-c",
      'model_reasoning_effort="low"',
      ...QUIET_OPTIONS,
      PROMPT,
    ],
    {
      env: question.env,
      folder: sandbox,
      input: "closed",
      limitMs: question.limitMs ?? LIMIT_MS,
      maxBytes: MAX_BYTES,
      clock,
      signal: question.signal,
      forget: question.forget,
    },
  ).outcome;
  const ours = rollouts(sandbox, files).filter((path) => !before.has(path));
  const found = newestLimits(ours, clock.now(), files);
  // They would pile up, 100 KB for each question, and nobody goes back to them.
  for (const path of ours) discard(path, files);
  if (question.signal?.aborted) return await failureOf("codex exec", outcome, question);
  const { workspaceId } = question;
  const foreign = found?.workspaceId !== undefined && workspaceId !== undefined &&
    found.workspaceId !== workspaceId;
  if (found && !foreign) {
    // A refusal that overtook this answer must stay the newer evidence.
    const windows = found.usage.windows.map((window) => ({ ...window, observedAt: askedAt }));
    return { kind: "read", usage: { ...found.usage, windows }, askedAt };
  }
  const { end, stdout, stderr } = outcome;
  if (end.kind === "exit" && /\b401\b.*unauthorized|unauthorized.*\b401\b/i.test(stdout + stderr)) {
    return { kind: "unauthorized" };
  }
  if (end.kind === "exit" && end.code === 0) {
    return {
      kind: "failed",
      cause: "codex exec answered without any figures.",
      fix: "Ask with --source usage, or with --source app-server.",
    };
  }
  return await failureOf("codex exec", outcome, question);
}

function discard(path: string, files: FileSystem): void {
  try {
    files.unlink(path);
  } catch {
    // It stays, and does no harm.
  }
}
