/**
 * POST /codex/responses: one model turn, good or as a fault has it.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Clock } from "../../src/platform/clock.ts";
import {
  answerEvents,
  type Reply,
  type StreamEvent,
  tokensIn,
  usageLimitEvents,
} from "./answer.ts";
import type { Fault } from "./faults.ts";
import { type Call, sendJson, whenClosed } from "./http.ts";
import type { Identifiers } from "./identifiers.ts";
import type { LiveRecord } from "./live_record.ts";
import type { Plan } from "./plan.ts";
import { mintReasoning } from "./reasoning.ts";
import type { RequestRecord } from "./record.ts";
import { readTurn, type TurnRequest } from "./request_rules.ts";
import { ConnectionGone, SseWriter } from "./sse_writer.ts";
import { rateHeaders, usageLimitError } from "./usage.ts";

/** What the model says: the same for all, or decided for each request; undefined = the default. */
export type ReplySource =
  | Reply
  | ((record: RequestRecord) => Reply | undefined | Promise<Reply | undefined>)
  | undefined;

/** What a turn works with. */
export interface TurnDesk {
  readonly clock: Clock;
  readonly identifiers: Identifiers;
  readonly reply: ReplySource;
  /** Bytes of each written piece; undefined = one piece for each event. */
  readonly chunkBytes: number | undefined;
  /** Input tokens that the prompt cache holds, by plan and conversation. */
  readonly cache: Map<string, number>;
  /** Tells those who wait that a record has changed. */
  changed(): void;
}

/** A stable conversation on one account had 90 to 96 % cached tokens (reported). */
const CACHED_SHARE = 0.93;

const FIXTURES = new URL("../fixtures/sse/", import.meta.url);

/** How a stream departs from a good one; counted in events. */
type StreamFault = Exclude<Fault, { kind: "status" | "refuse" | "delay" }>;

/** Answers a request whose token is good. Faults that need no stream have been played before. */
export async function serveTurn(
  call: Call,
  record: LiveRecord,
  plan: Plan,
  fault: StreamFault | undefined,
  desk: TurnDesk,
): Promise<void> {
  const { response, request } = call;
  const refuse = (status: number, body: unknown, headers = {}) => {
    record.status = status;
    sendJson(response, status, body, headers);
    desk.changed();
  };
  const contentType = request.headers["content-type"] ?? "";
  const turn = readTurn(contentType, record.body, record.session, plan);
  if ("status" in turn) return refuse(turn.status, turn.body);
  const refusal = plan.quota.admit();
  if (refusal) {
    const error = usageLimitError(plan, refusal, desk.clock.now());
    return refuse(429, { error }, {
      ...rateHeaders(plan),
      "x-codex-rate-limit-reached-type": "rate_limit_reached",
    });
  }

  const limited = fault?.kind === "usage-limit-in-stream";
  const charge = limited ? () => {} : once(() => plan.quota.charge());
  if (plan.chargeAt === "start") charge();
  const events = await eventsOf(turn, record, plan, fault, desk);
  // The client may have left while a reply was thought about.
  if (response.destroyed) return;
  record.status = 200;
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-request-id": desk.identifiers.named("req"),
    "x-codex-turn-state": desk.identifiers.opaque(18),
    ...rateHeaders(plan),
    ...(fault?.kind === "sse" ? fault.headers : {}),
  });
  response.flushHeaders();
  desk.changed();
  await writeStream(call, record, plan, fault, events, desk, charge);
  // Tokens were spent on whatever was said, heard or not.
  if (record.events > 0) charge();
  if (fault?.kind === "stall") return await whenClosed(response);
  if (fault?.kind === "cut") {
    record.cutByUs();
    response.destroy();
    return;
  }
  response.end();
}

/** Writes as many events as the fault lets through; ends early when the client leaves. */
async function writeStream(
  { response }: Call,
  record: LiveRecord,
  plan: Plan,
  fault: StreamFault | undefined,
  events: readonly StreamEvent[],
  desk: TurnDesk,
  charge: () => void,
): Promise<void> {
  const writer = new SseWriter(response, desk.chunkBytes);
  const limit = fault !== undefined && "afterEvents" in fault ? fault.afterEvents : Infinity;
  try {
    if (fault?.kind === "sse") return await writer.bytes(readFileSync(fixture(fault.file)));
    for (const event of events.slice(0, limit)) {
      // Before the last event, so that whoever has read the end also finds the figures changed.
      if (event.type === "response.completed" && !response.destroyed) {
        charge();
        plan.served++;
      }
      await writer.event(event);
      record.events++;
      desk.changed();
    }
  } catch (error) {
    if (!(error instanceof ConnectionGone)) throw error;
  }
}

async function eventsOf(
  turn: TurnRequest,
  record: RequestRecord,
  plan: Plan,
  fault: StreamFault | undefined,
  desk: TurnDesk,
): Promise<StreamEvent[]> {
  if (fault?.kind === "sse") return [];
  if (fault?.kind === "usage-limit-in-stream") return limitEvents(turn, plan, fault.after, desk);
  return await goodEvents(turn, record, plan, desk);
}

async function goodEvents(
  turn: TurnRequest,
  record: RequestRecord,
  plan: Plan,
  desk: TurnDesk,
): Promise<StreamEvent[]> {
  // Taken before anything is awaited: answers are numbered as they begin.
  const standard = `Answer ${++plan.begun} served by ${plan.name}`;
  const { reply } = desk;
  const said = typeof reply === "function" ? await reply(record) : reply;
  const inputTokens = tokensIn(record.body);
  return answerEvents({
    reply: said ?? standard,
    model: turn.model,
    at: desk.clock.now(),
    encryptedReasoning: turn.wantsReasoning
      ? mintReasoning(plan.workspaceId, desk.identifiers)
      : undefined,
    usage: {
      inputTokens,
      cachedTokens: cachedTokens(turn, inputTokens, plan, desk.cache),
      reasoningTokens: turn.wantsReasoning ? 8 : 0,
    },
    identifiers: desk.identifiers,
  });
}

function cachedTokens(
  turn: TurnRequest,
  inputTokens: number,
  plan: Plan,
  cache: Map<string, number>,
): number {
  if (turn.cacheKey === undefined) return 0;
  const key = JSON.stringify([plan.accountUserId, turn.model, turn.cacheKey]);
  const held = Math.min(cache.get(key) ?? 0, inputTokens);
  cache.set(key, inputTokens);
  return Math.floor(held * CACHED_SHARE);
}

function limitEvents(
  turn: TurnRequest,
  plan: Plan,
  after: "nothing" | "created",
  desk: TurnDesk,
): StreamEvent[] {
  const now = desk.clock.now();
  const parts = { model: turn.model, at: now, identifiers: desk.identifiers };
  const error = usageLimitError(plan, { resetsAt: plan.quota.nextReset() }, now);
  return usageLimitEvents(parts, after, { code: "usage_limit_reached", ...error });
}

function fixture(file: string): string | URL {
  return isAbsolute(file) ? file : new URL(file, FIXTURES);
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
