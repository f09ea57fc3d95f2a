import { classifyEvent, type Outcome } from "./outcome.ts";
import { faultData } from "./ending.ts";
import { isBag } from "./refusal.ts";
import { type SseEvent, SseFramer } from "./sse.ts";

type Bag = Readonly<Record<string, unknown>>;

/**
 * Reads a streamed answer to its end for a caller who asked for none: the
 * `response` object of the terminal event as JSON. Where that brings no
 * output, it is put together from the items that came before.
 *
 * @param answer An answer of type `text/event-stream`; its body is used up.
 * @returns Status 200 with the response object, or the backend's error as
 * `{error: {…}}` with the status that says the same outside a stream.
 * @throws What the body throws when it is aborted or its connection breaks.
 */
export async function collect(answer: Response): Promise<Response> {
  const items = new Map<number, unknown>();
  let last: Bag | undefined;
  const see = (event: SseEvent) => {
    const type = event.type ?? event.eventName;
    if (type === "response.output_item.done") addItem(items, parse(event.data));
    if (type !== undefined && TERMINAL.has(type)) last = withType(parse(event.data), type) ?? last;
  };
  const framer = new SseFramer();
  const reader = answer.body?.getReader();
  for (let step = await reader?.read(); step && !step.done; step = await reader?.read()) {
    framer.feed(step.value, see);
  }
  // A last event without its blank line counts: nothing more can come.
  framer.feed(encoder.encode("\n\n"), see);
  const headers = new Headers(answer.headers);
  for (const name of ["content-length", "content-encoding", "transfer-encoding"]) {
    headers.delete(name);
  }
  headers.set("content-type", "application/json");
  const { status, body } = result(last ?? FAULT, items, answer.headers);
  return new Response(JSON.stringify(body), { status, headers });
}

const encoder = new TextEncoder();

/** Stands for an answer that stopped before its end. */
const FAULT: Bag = faultData("ended early");

const TERMINAL = new Set([
  "response.completed",
  "response.incomplete",
  "response.done",
  "response.failed",
  "error",
]);

/** What the terminal event comes to outside a stream. */
function result(
  last: Bag,
  items: ReadonlyMap<number, unknown>,
  headers: Headers,
): { status: number; body: unknown } {
  const response = isBag(last["response"]) ? last["response"] : {};
  const refused = last["type"] === "error" || last["type"] === "response.failed" ||
    response["status"] === "failed";
  if (!refused) {
    const output = response["output"];
    const empty = !Array.isArray(output) || output.length === 0;
    return { status: 200, body: empty ? { ...response, output: inOrder(items) } : response };
  }
  const { type: _, sequence_number: __, ...flat } = last;
  const error = response["error"] ?? last["error"] ?? flat;
  // The time does not matter: only the kind of the outcome is looked at.
  return { status: statusOf(classifyEvent(last, headers, 0), error), body: { error } };
}

/** The status that says outside a stream what an error event says inside. */
function statusOf(outcome: Outcome, error: unknown): number {
  switch (outcome.kind) {
    case "usage limit":
    case "throttled":
    case "not included":
      return 429;
    case "unauthorized":
      return 401;
    case "workspace deactivated":
      return 402;
    case "server trouble":
      return 503;
    case "edge block":
      return 403;
    case "foreign reasoning":
    case "model not supported":
      return 400;
    default:
      // A code without a meaning of its own is about the request (`context_length_exceeded`).
      return isBag(error) && typeof error["code"] === "string" ? 400 : 502;
  }
}

/** Keeps an item under its place in the output; without one it goes behind the others. */
function addItem(items: Map<number, unknown>, event: Bag | undefined): void {
  if (event?.["item"] === undefined) return;
  const index = event["output_index"];
  items.set(typeof index === "number" ? index : items.size, event["item"]);
}

function inOrder(items: ReadonlyMap<number, unknown>): unknown[] {
  return [...items].sort(([a], [b]) => a - b).map(([, item]) => item);
}

/** The event as if its data had named its type. */
function withType(event: Bag | undefined, type: string): Bag | undefined {
  return event && { ...event, type };
}

function parse(data: string): Bag | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return isBag(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
