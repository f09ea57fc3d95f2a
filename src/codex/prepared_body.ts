import {
  dropReasoning,
  type JsonBody,
  replaceSpan,
  setTopLevel,
  stringAt,
  textAt,
} from "./body.ts";
import { scanEnds } from "./body_ends.ts";
import type { ModelMap } from "./model_map.ts";

/** A request body that is ready to be sent any number of times. */
export interface PreparedBody {
  /** As it goes out. */
  readonly model: string | undefined;
  /** As it was asked for, where it goes out under another name. */
  readonly askedModel: string | undefined;
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
 * @param map Other names for models; of the body nothing but the name changes.
 * @returns undefined when the body is not a JSON object.
 */
export function prepareBody(
  body: JsonBody | undefined,
  path: string,
  needsKey: boolean,
  map?: ModelMap,
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
  const span = spans.get("model");
  const asked = stringAt(body, span);
  const mapped = asked === undefined ? undefined : map?.(asked);
  // First of all: a change before it would move the name.
  if (mapped !== undefined && span) whole = replaceSpan(whole, span, JSON.stringify(mapped));
  if (collects) whole = setTopLevel(whole, "stream", "true") ?? whole;
  if (streams && literal("store") !== "false") {
    whole = setTopLevel(whole, "store", "false") ?? whole;
  }
  return {
    model: mapped ?? asked,
    askedModel: mapped === undefined ? undefined : asked,
    promptCacheKey: stringAt(body, spans.get("prompt_cache_key")),
    collects,
    whole,
    without: (keep) => dropReasoning(whole, keep),
  };
}
