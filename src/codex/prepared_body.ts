import { dropReasoning, type JsonBody, setTopLevel, stringAt, textAt } from "./body.ts";
import { scanEnds } from "./body_ends.ts";

/** A request body that is ready to be sent any number of times. */
export interface PreparedBody {
  readonly model: string | undefined;
  /** Asked for only when no header names the conversation. */
  readonly promptCacheKey: string | undefined;
  /** The caller did not ask for a stream; the backend only streams, so the answer is collected. */
  readonly collects: boolean;
  /** The body to send: byte for byte what came in, unless something in it had to change. */
  readonly whole: JsonBody;
  /** The same without the encrypted reasoning that `keep` refuses. */
  without(keep: (encrypted: string) => boolean): JsonBody;
}

/**
 * Looks at the few fields that matter and mends the two that the backend
 * insists on (`stream: true`, `store: false`), without parsing the rest.
 *
 * @param needsKey Whether the conversation must be known from the body.
 * @returns undefined when the body is not a JSON object.
 */
export function prepareBody(
  body: JsonBody | undefined,
  path: string,
  needsKey: boolean,
): PreparedBody | undefined {
  if (body === undefined) return undefined;
  const spans = scanEnds(
    body,
    needsKey ? ["model", "stream", "store", "prompt_cache_key"] : ["model", "stream", "store"],
  );
  if (!spans) return undefined;
  const literal = (key: string) => {
    const span = spans.get(key);
    return span && textAt(body, span);
  };
  // Compaction answers with JSON and knows neither field.
  const streams = !path.endsWith("/compact");
  const collects = streams && literal("stream") !== "true";
  let whole: JsonBody = body;
  if (collects) whole = setTopLevel(whole, "stream", "true") ?? whole;
  if (streams && literal("store") !== "false") {
    whole = setTopLevel(whole, "store", "false") ?? whole;
  }
  return {
    model: stringAt(body, spans.get("model")),
    promptCacheKey: stringAt(body, spans.get("prompt_cache_key")),
    collects,
    whole,
    without: (keep) => dropReasoning(whole, keep),
  };
}
