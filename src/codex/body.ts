/**
 * Looks into the JSON of a request, and changes single values in it, without
 * parsing the rest: what nobody asked about stays byte for byte.
 *
 * Every function takes time linear in the body, never throws, and takes a body
 * that is not the JSON it should be for one in which nothing is found. What
 * lies behind the last key asked for is not looked at.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  skipSpace,
  stringEnd,
  valueEnd,
} from "./json_text.ts";

/** A JSON text, as a string or as UTF-8. */
export type JsonBody = string | Uint8Array<ArrayBuffer>;

/** Where a value stands: from `start` up to but not including `end`, in units of the body (UTF-16 units or bytes). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds the values of top-level keys. Stops as soon as all keys are found; of
 * a key that stands twice the first one counts.
 *
 * @returns Spans by key, without those that are absent; undefined when the body is no JSON object as far as it was read.
 */
export function scanTopLevel(
  body: JsonBody,
  keys: readonly string[],
): ReadonlyMap<string, Span> | undefined {
  const text = view(body);
  return scanObject(body, text, skipSpace(text, 0), keys);
}

/** The text of a value. */
export function textAt(body: JsonBody, span: Span): string {
  return typeof body === "string"
    ? body.slice(span.start, span.end)
    : Buffer.from(body.buffer, body.byteOffset + span.start, span.end - span.start)
      .toString("utf8");
}

/** The string that stands at a span; undefined when another kind of value stands there. */
export function stringAt(body: JsonBody, span: Span | undefined): string | undefined {
  if (span === undefined) return undefined;
  const text = textAt(body, span);
  return text.startsWith('"') ? parseString(text) : undefined;
}

/**
 * The body with another value at a span.
 *
 * @param json The new value as JSON text.
 */
export function replaceSpan<Body extends JsonBody>(body: Body, span: Span, json: string): Body;
export function replaceSpan(body: JsonBody, span: Span, json: string): JsonBody {
  if (typeof body === "string") return body.slice(0, span.start) + json + body.slice(span.end);
  const middle = new TextEncoder().encode(json);
  const whole = new Uint8Array(body.length - (span.end - span.start) + middle.length);
  whole.set(body.subarray(0, span.start), 0);
  whole.set(middle, span.start);
  whole.set(body.subarray(span.end), span.start + middle.length);
  return whole;
}

/**
 * The body with a top-level key set: its value is replaced, or the key is put
 * in front of the others.
 *
 * @param json The value as JSON text.
 * @returns undefined when the body is no JSON object.
 */
export function setTopLevel<Body extends JsonBody>(
  body: Body,
  key: string,
  json: string,
): Body | undefined {
  const spans = scanTopLevel(body, [key]);
  if (spans === undefined) return undefined;
  const span = spans.get(key);
  if (span) return replaceSpan(body, span, json);
  const text = view(body);
  const start = skipSpace(text, 0) + 1;
  const lonely = text.charCodeAt(skipSpace(text, start)) === CLOSE_OBJECT;
  return replaceSpan(
    body,
    { start, end: start },
    `${JSON.stringify(key)}:${json}${lonely ? "" : ","}`,
  );
}

/**
 * The body without some of the encrypted reasoning in its `input`. Every other
 * item stays as it is written.
 *
 * @param keep Whether reasoning with this encrypted content stays.
 * @returns The very same body when nothing had to go.
 */
export function dropReasoning<Body extends JsonBody>(
  body: Body,
  keep: (encryptedContent: string) => boolean,
): Body {
  const input = scanTopLevel(body, ["input"])?.get("input");
  if (!input) return body;
  const text = view(body);
  const items = scanList(text, input.start);
  if (!items) return body;
  const staying = items.filter((item) => {
    if (text.charCodeAt(item.start) !== OPEN_OBJECT) return true;
    const parts = scanObject(body, text, item.start, ["type", "encrypted_content"]);
    if (stringAt(body, parts?.get("type")) !== "reasoning") return true;
    const encrypted = stringAt(body, parts?.get("encrypted_content"));
    return encrypted === undefined || keep(encrypted);
  });
  if (staying.length === items.length) return body;
  return replaceSpan(body, input, `[${staying.map((item) => textAt(body, item)).join(",")}]`);
}

/**
 * The body as a string whose indices are the body's own: bytes become one
 * character each. JSON's own characters are ASCII, so all that matters here
 * looks the same in both forms.
 *
 * @param from First index, of bytes only; a string is given whole.
 */
export function view(body: JsonBody, from = 0, to = body.length): string {
  if (typeof body === "string") return body;
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1", from, to);
}

/** Finds the values of an object's own keys; the object begins at `start`. */
function scanObject(
  body: JsonBody,
  text: string,
  start: number,
  keys: readonly string[],
): ReadonlyMap<string, Span> | undefined {
  const found = new Map<string, Span>();
  if (text.charCodeAt(start) !== OPEN_OBJECT) return undefined;
  let at = skipSpace(text, start + 1);
  if (text.charCodeAt(at) === CLOSE_OBJECT) return found;
  for (;;) {
    if (text.charCodeAt(at) !== QUOTE) return undefined;
    const keyEnd = stringEnd(text, at);
    if (keyEnd < 0) return undefined;
    const key = keyOf(body, text, at, keyEnd);
    at = skipSpace(text, keyEnd);
    if (text.charCodeAt(at) !== COLON) return undefined;
    const value = skipSpace(text, at + 1);
    const end = valueEnd(text, value);
    if (end < 0) return undefined;
    if (keys.includes(key) && !found.has(key)) {
      found.set(key, { start: value, end });
      if (found.size === keys.length) return found;
    }
    at = skipSpace(text, end);
    const code = text.charCodeAt(at);
    if (code === CLOSE_OBJECT) return found;
    if (code !== COMMA) return undefined;
    at = skipSpace(text, at + 1);
  }
}

/** The elements of a list. */
function scanList(text: string, start: number): Span[] | undefined {
  const items: Span[] = [];
  if (text.charCodeAt(start) !== OPEN_LIST) return undefined;
  let at = skipSpace(text, start + 1);
  if (text.charCodeAt(at) === CLOSE_LIST) return items;
  for (;;) {
    const end = valueEnd(text, at);
    if (end < 0) return undefined;
    items.push({ start: at, end });
    at = skipSpace(text, end);
    const code = text.charCodeAt(at);
    if (code === CLOSE_LIST) return items;
    if (code !== COMMA) return undefined;
    at = skipSpace(text, at + 1);
  }
}

/**
 * A key's name. Keys with escapes, and in bytes those beyond ASCII, are rare, so they may cost more.
 *
 * @param base Where the text begins in the body.
 */
export function keyOf(body: JsonBody, text: string, start: number, end: number, base = 0): string {
  const raw = text.slice(start + 1, end - 1);
  const plain = typeof body === "string" ? !raw.includes("\\") : /^[ !#-[\]-~]*$/.test(raw);
  return plain ? raw : stringAt(body, { start: base + start, end: base + end }) ?? raw;
}

function parseString(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
