import { asNumber, asObject, asText, type JsonObject } from "../platform/json.ts";
import { PROGRAM, VERSION } from "../platform/version.ts";
import {
  type CodexAnswer,
  failureOf,
  LIMIT_MS,
  MAX_BYTES,
  type ProgramQuestion,
  QUIET_OPTIONS,
  short,
} from "./answer.ts";
import { readAppServerLimits } from "./app_server_limits.ts";
import { startChild } from "./child.ts";

/** Id of our question; 1 is the handshake. */
const QUESTION = 2;
/** How long the server may take to leave after its answer, in milliseconds. */
const LEAVE_MS = 1_000;

/**
 * Asks `codex app-server` for an account's limits: a conversation in JSON lines, each of ours after the
 * answer to the one before. Costs three GET requests and no quota.
 */
export async function askAppServer(question: ProgramQuestion): Promise<CodexAnswer> {
  const { clock } = question;
  const askedAt = clock.now();
  let answer: JsonObject | undefined;
  let cancelLeave = () => {};
  const child = startChild(
    question.program,
    ["app-server", ...QUIET_OPTIONS],
    {
      env: question.env,
      folder: question.sandbox,
      input: "open",
      limitMs: question.limitMs ?? LIMIT_MS,
      maxBytes: MAX_BYTES,
      clock,
      signal: question.signal,
      forget: question.forget,
      onLine: (line) => {
        const message = parse(line);
        // A message with a method is a notification, or a question to us.
        if (message === undefined || answer || message["method"] !== undefined) return;
        const id = asNumber(message["id"]);
        if (id === 1 && message["error"] === undefined) {
          say({ method: "initialized" });
          say({
            id: QUESTION,
            method: "account/rateLimits/read",
            params: { excludeResetCreditDetails: true },
          });
        } else if (id === 1 || id === QUESTION) {
          answer = message;
          child.close();
          cancelLeave = clock.after(LEAVE_MS, () => child.kill());
        }
      },
    },
  );
  const say = (message: JsonObject) => child.write(`${JSON.stringify(message)}\n`);
  say({
    id: 1,
    method: "initialize",
    params: {
      clientInfo: { name: PROGRAM.replaceAll("-", "_"), title: null, version: VERSION },
      capabilities: null,
    },
  });
  const outcome = await child.outcome;
  cancelLeave();
  if (question.signal?.aborted || !answer) return failureOf("codex app-server", outcome, question);
  const error = asObject(answer["error"]);
  if (error) return refusal(asText(error["message"]) ?? "no reason given");
  const usage = readAppServerLimits(answer["result"], askedAt);
  return usage ? { kind: "read", usage, askedAt } : {
    kind: "failed",
    cause: "codex app-server gave an answer that nobody understands.",
    fix: "Update opencode-multi-auth, or ask with --source usage.",
  };
}

/** What an error of the server means. */
function refusal(message: string): CodexAnswer {
  if (/\b401\b|unauthorized/i.test(message)) return { kind: "unauthorized" };
  if (/unknown variant|method not found|unknown method/i.test(message)) {
    return {
      kind: "failed",
      cause: "This Codex CLI is too old: its app-server knows no limits.",
      fix: "Update it (npm install -g @openai/codex@latest), or ask with --source usage.",
    };
  }
  return {
    kind: "failed",
    cause: `codex app-server got no figures (${short(message)}).`,
    fix: "Try again later, or ask with --source usage.",
  };
}

function parse(line: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(line));
  } catch {
    // Some versions print a warning before they speak JSON.
    return undefined;
  }
}
