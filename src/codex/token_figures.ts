import { asNumber, asObject, type JsonObject } from "../platform/json.ts";
import type { Tokens } from "../store/store.ts";

/** More than any answer has; what is beyond is no count. */
const MOST = 1e9;

/**
 * Reads what an answer cost from the event that ended it (`response.usage`), or
 * from a response that did not stream (`usage`).
 *
 * @param data The event's data, or the response's body.
 * @returns undefined where it names no tokens. Never throws.
 */
export function readTokens(data: string): Tokens | undefined {
  let event: JsonObject | undefined;
  try {
    event = asObject(JSON.parse(data));
  } catch {
    return undefined;
  }
  const usage = asObject((asObject(event?.["response"]) ?? event)?.["usage"]);
  const tokens = {
    input: count(usage, "input_tokens"),
    cached: count(asObject(usage?.["input_tokens_details"]), "cached_tokens"),
    output: count(usage, "output_tokens"),
    reasoning: count(asObject(usage?.["output_tokens_details"]), "reasoning_tokens"),
  };
  return tokens.input + tokens.output > 0 ? tokens : undefined;
}

function count(figures: JsonObject | undefined, name: string): number {
  const value = asNumber(figures?.[name]) ?? 0;
  return value > 0 && value <= MOST ? Math.round(value) : 0;
}
