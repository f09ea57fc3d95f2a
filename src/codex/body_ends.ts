import { type JsonBody, keyOf, scanTopLevel, type Span, view } from "./body.ts";
import {
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  skipSpace,
  skipSpaceBack,
  stringEnd,
  stringStart,
  valueEnd,
  valueStart,
} from "./json_text.ts";

/** How many bytes of each end are looked at before the whole body is, when it comes as bytes. */
const WINDOW = 64 * 1024;

/**
 * The same as {@linkcode scanTopLevel}, from both ends: forward up to the first
 * list or object, then backward from the end. What OpenCode writes has its long
 * conversation in the middle, which is then never looked at.
 *
 * Of a key that stands twice, one behind the middle counts only where none
 * stands before it, and there the last one, as for `JSON.parse`.
 *
 * @returns Spans by key; undefined when the body is no JSON object as far as it was read.
 */
export function scanEnds(
  body: JsonBody,
  keys: readonly string[],
): ReadonlyMap<string, Span> | undefined {
  const found = new Map<string, Span>();
  const head = view(body, 0, WINDOW);
  const middle = scanHead(body, head, keys, found);
  if (found.size === keys.length) return found;
  const tailAt = typeof body === "string" ? 0 : Math.max(body.length - WINDOW, 0);
  const tail = tailAt === 0 && head.length === body.length ? head : view(body, tailAt, body.length);
  if (middle !== undefined && scanTail(body, tail, tailAt, keys, found, middle)) return found;
  return scanTopLevel(body, keys);
}

/**
 * Looks at the pairs before the first list or object.
 *
 * @returns Where that one's key begins; the end of the text where there is none. Undefined: this text does not tell.
 */
function scanHead(
  body: JsonBody,
  text: string,
  keys: readonly string[],
  found: Map<string, Span>,
): number | undefined {
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== OPEN_OBJECT) return undefined;
  at = skipSpace(text, at + 1);
  for (;;) {
    const start = at;
    if (text.charCodeAt(at) !== QUOTE) return undefined;
    const keyEnd = stringEnd(text, at);
    if (keyEnd < 0) return undefined;
    at = skipSpace(text, keyEnd);
    if (text.charCodeAt(at) !== COLON) return undefined;
    at = skipSpace(text, at + 1);
    const code = text.charCodeAt(at);
    if (code === OPEN_LIST || code === OPEN_OBJECT) return start;
    const end = valueEnd(text, at);
    // A number may go on behind the end of the window; nothing else ends there.
    if (end < 0 || end === text.length) return undefined;
    const key = keyOf(body, text, start, keyEnd);
    if (keys.includes(key) && !found.has(key)) found.set(key, { start: at, end });
    if (found.size === keys.length) return end;
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === CLOSE_OBJECT) return end;
    if (text.charCodeAt(at) !== COMMA) return undefined;
    at = skipSpace(text, at + 1);
  }
}

/**
 * Looks at the pairs from the last one back to the one whose key begins at
 * `middle`, until all keys are found.
 *
 * @param base Where the text begins in the body.
 * @returns false when this text does not tell.
 */
function scanTail(
  body: JsonBody,
  text: string,
  base: number,
  keys: readonly string[],
  found: Map<string, Span>,
  middle: number,
): boolean {
  let at = skipSpaceBack(text, text.length - 1);
  if (text.charCodeAt(at) !== CLOSE_OBJECT) return false;
  at = skipSpaceBack(text, at - 1);
  while (base + at > middle) {
    const end = at + 1;
    const start = valueStart(text, at);
    if (start < 0) return false;
    at = skipSpaceBack(text, start - 1);
    if (text.charCodeAt(at) !== COLON) return false;
    at = skipSpaceBack(text, at - 1);
    if (text.charCodeAt(at) !== QUOTE) return false;
    const keyStart = stringStart(text, at);
    if (keyStart < 0) return false;
    const key = keyOf(body, text, keyStart, at + 1, base);
    if (keys.includes(key) && !found.has(key)) {
      found.set(key, { start: base + start, end: base + end });
      if (found.size === keys.length) return true;
    }
    if (base + keyStart <= middle) return true;
    at = skipSpaceBack(text, keyStart - 1);
    if (text.charCodeAt(at) !== COMMA) return false;
    at = skipSpaceBack(text, at - 1);
  }
  return true;
}
