/** Most of a refusal's body that is worth reading, in bytes. Real ones have some hundred. */
export const REFUSAL_LIMIT = 64 * 1024;

/** Most of a message that is looked at, in characters. The texts that matter come in the first line. */
const MESSAGE_LIMIT = 4096;

/** What a refusal says, gathered from the places where backends put it. */
export interface Refusal {
  /** Whether the body was a JSON object: the backend itself speaks JSON, the edge before it does not. */
  readonly json: boolean;
  /** Every code given, lower case, the most exact first. */
  readonly codes: readonly string[];
  /** The text for people; the whole body where it was no JSON. */
  readonly message: string;
  /** `error.resets_at`, unread. */
  readonly resetsAt?: unknown;
  /** `error.resets_in_seconds`, unread. */
  readonly resetsInSeconds?: unknown;
  /** Why a limit was reached, e.g. `workspace_member_credits_depleted`. */
  readonly reachedType?: string;
}

type Bag = Readonly<Record<string, unknown>>;

/**
 * Reads the body of a failed answer. Never throws; a body that is not JSON
 * gives its text as the message.
 */
export function readRefusal(body: string): Refusal {
  const value = parse(body);
  return isBag(value)
    ? gather(value)
    : { json: false, codes: [], message: body.slice(0, MESSAGE_LIMIT) };
}

/**
 * Reads a refusal from an event of a stream (`response.failed`, `error` flat
 * or nested).
 */
export function readEventRefusal(event: Bag): Refusal {
  // The event's own `type` names the event, not the failure.
  const { type: _, ...rest } = event;
  const response = isBag(event["response"]) ? event["response"] : undefined;
  return gather({ ...rest, error: response?.["error"] ?? event["error"] });
}

function gather(body: Bag): Refusal {
  const error = isBag(body["error"]) ? body["error"] : undefined;
  const detail = isBag(body["detail"]) ? body["detail"] : undefined;
  const codes: string[] = [];
  // The backend puts the code into any of these; texts that are no code fall out.
  const places = [
    error?.["code"],
    error?.["type"],
    detail?.["code"],
    detail?.["type"],
    body["code"],
    body["error"],
    body["detail"],
  ];
  for (const place of places) {
    if (typeof place !== "string") continue;
    const code = place.trim().toLowerCase();
    if (/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(code) && !codes.includes(code)) codes.push(code);
  }
  const message = [
    error?.["message"],
    detail?.["message"],
    body["message"],
    body["error"],
    body["detail"],
  ].find((one) => typeof one === "string" && one !== "");
  const reached = error?.["rate_limit_reached_type"] ?? body["rate_limit_reached_type"];
  const reachedType = isBag(reached) ? reached["type"] : reached;
  const source = error ?? detail ?? body;
  return {
    json: true,
    codes,
    message: typeof message === "string" ? message.slice(0, MESSAGE_LIMIT) : "",
    resetsAt: source["resets_at"] ?? body["resets_at"],
    resetsInSeconds: source["resets_in_seconds"] ?? body["resets_in_seconds"],
    ...(typeof reachedType === "string" && { reachedType: reachedType.toLowerCase() }),
  };
}

/**
 * Finds "try again in 1.5s" and its kin in a text.
 *
 * @returns Milliseconds; undefined when the text names no span.
 */
export function waitInText(message: string): number | undefined {
  // As OpenAI writes it: 20ms, 1.5s, 6m0s, 1h2m3s, 28 seconds, 2 days.
  const start = message.search(/try again in\s/i);
  if (start < 0) return undefined;
  const step = /\s*(\d+(?:\.\d+)?)\s*(ms|milli|[smhd])[a-z]*/iy;
  step.lastIndex = start + "try again in".length;
  let total = 0;
  for (let found = step.exec(message); found; found = step.exec(message)) {
    total += Number(found[1]) * (UNIT_MS[(found[2] ?? "").toLowerCase()] ?? 0);
  }
  return total > 0 && Number.isFinite(total) ? Math.ceil(total) : undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  milli: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Whether a value is a JSON object. */
export function isBag(value: unknown): value is Bag {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
