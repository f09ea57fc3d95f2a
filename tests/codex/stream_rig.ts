import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createParser } from "eventsource-parser";
import { type Opened, openStream, type StreamEnd } from "../../src/codex/stream.ts";
import type { QuotaWindow } from "../../src/quota/window.ts";
import { VirtualClock } from "../virtual_clock.ts";
import { type HandFed, handFed } from "./hand_fed.ts";

export const FOLDER = new URL("../fixtures/sse/", import.meta.url);
export const STALL = 10_000;
export const SILENCE = 60_000;
export const encoder = new TextEncoder();

export const read = (file: string) => new Uint8Array(readFileSync(new URL(file, FOLDER)));
export const textOf = (file: string) => new TextDecoder().decode(read(file));

export const event = (data: Record<string, unknown>) => `data: ${JSON.stringify(data)}\n\n`;
export const CREATED = event({ type: "response.created", response: { id: "r" } });
export const IN_PROGRESS = event({ type: "response.in_progress", response: { id: "r" } });
export const ADDED = event({ type: "response.output_item.added", item: { type: "message" } });
export const DELTA = event({ type: "response.output_text.delta", delta: "Hello" });
export const COMPLETED = event({
  type: "response.completed",
  response: { usage: { input_tokens: 1 } },
});
export const LIMIT = event({
  type: "response.failed",
  response: { status: "failed", error: { code: "usage_limit_reached", resets_in_seconds: 7200 } },
});

/** One opening with everything that it reports. */
export interface Opening {
  readonly clock: VirtualClock;
  readonly ends: StreamEnd[];
  readonly windows: QuotaWindow[];
  readonly opened: Promise<Opened>;
  /** What `opened` came to, once it has. */
  result: Opened | undefined;
}

export function open(
  response: Response,
  options: { signal?: AbortSignal; sentAt?: number } = {},
): Opening {
  const clock = new VirtualClock();
  const ends: StreamEnd[] = [];
  const windows: QuotaWindow[] = [];
  const opened = openStream(response, {
    clock,
    stallMs: STALL,
    silenceMs: SILENCE,
    onEnd: (end) => ends.push(end),
    onWindows: (some) => windows.push(...some),
    ...options,
  });
  const opening: Opening = { clock, ends, windows, opened, result: undefined };
  opened.then((result) => opening.result = result);
  return opening;
}

/** What an opening came to; undefined while it is under way. */
export function kindOf(opening: Opening): string | undefined {
  return opening.result?.kind;
}

export function bodyOf(result: Opened | undefined): ReadableStream<Uint8Array<ArrayBuffer>> {
  assert.equal(result?.kind, "open");
  assert.ok(result.kind === "open");
  return result.body;
}

/** Reads a body to its end in the background. */
export function drain(body: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const state = { text: "", done: false, error: undefined as unknown };
  const decoder = new TextDecoder();
  (async () => {
    for await (const chunk of body) state.text += decoder.decode(chunk, { stream: true });
    state.done = true;
  })().catch((error) => state.error = error);
  return state;
}

/** The events that OpenCode's parser finds in a text. */
export function events(text: string): { type: string; [key: string]: unknown }[] {
  const found: { type: string }[] = [];
  createParser({ onEvent: ({ data }) => data !== "[DONE]" && found.push(JSON.parse(data)) })
    .feed(text);
  return found;
}

/** Opens a hand-fed answer that has just become useful. */
export async function flowing(): Promise<Opening & { feed: HandFed }> {
  const feed = handFed();
  const opening = open(feed.response);
  feed.send(CREATED, ADDED, DELTA);
  await opening.clock.advance(0);
  return { ...opening, result: await opening.opened, feed };
}

/** Words on which OpenCode 1.18 tries again, and numbers that it takes for a status. */
export const RETRY = /connection lost/i;

/** The text is what passed, then whole events of these types, then one error event of ours. */
export function assertFault(text: string, passed: string, types: readonly string[] = []): void {
  assert.ok(text.startsWith(passed));
  const added = events(text.slice(passed.length));
  const last = added.pop();
  assert.deepEqual(added.map((one) => one.type), types);
  assert.equal(last?.type, "error");
  const { message, code } = last?.["error"] as { message: string; code: string };
  assert.equal(code, "connection_lost");
  assert.match(message, RETRY);
  assert.doesNotMatch(message, /\d/);
}
