/**
 * Frames server-sent events over bytes, as https://html.spec.whatwg.org/multipage/server-sent-events.html
 * has them: lines end in LF, CR or CRLF, a blank line ends an event.
 *
 * Bytes rather than text, because what passes through must stay as it is: the
 * caller learns where each event ends in the stream and decodes only those
 * events that concern it. (`eventsource-parser` wants text and knows no
 * offsets; the tests hold this reader to its results.)
 *
 * @module
 */
import { scanTopLevel, stringAt } from "./body.ts";

const LF = 10;
const CR = 13;
const SPACE = 32;
const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;

/** How the data of nearly every event begins. */
const TYPE_FIRST = new TextEncoder().encode('{"type":"');
/** Longest type that is read without decoding the data, in bytes. */
const MAX_TYPE = 100;

/**
 * Types of which an answer has many. Nothing depends on this list: a type that
 * is not in it costs a string of its own.
 */
const FREQUENT = [
  "response.output_text.delta",
  "response.function_call_arguments.delta",
  "response.reasoning_summary_text.delta",
  "response.custom_tool_call_input.delta",
  "response.output_item.added",
  "response.output_item.done",
  "response.content_part.added",
  "response.content_part.done",
  "response.output_text.done",
  "response.function_call_arguments.done",
  "response.created",
  "response.in_progress",
  "response.completed",
  "codex.rate_limits",
];
/** The same by length, with their bytes. */
const BY_LENGTH: { readonly name: string; readonly bytes: Uint8Array }[][] = [];
for (const name of FREQUENT) {
  (BY_LENGTH[name.length] ??= []).push({ name, bytes: new TextEncoder().encode(name) });
}

const DATA = new TextEncoder().encode("data");
const EVENT = new TextEncoder().encode("event");

/** A part of a buffer: bytes from `start` up to but not including `end`. */
interface Slice {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** One event. Nothing of it is decoded before it is asked for. */
export class SseEvent {
  #data: string | undefined;

  constructor(
    private readonly lines: readonly Slice[],
    private readonly name: Slice | undefined,
    /** Offset in the stream just behind the blank line that ends this event, in bytes. */
    readonly byteEnd: number,
  ) {}

  /** The data lines, joined by LF. */
  get data(): string {
    return this.#data ??= this.lines.map(decode).join("\n");
  }

  /** The `event:` line's value, if there is one. */
  get eventName(): string | undefined {
    return this.name && decode(this.name);
  }

  /**
   * The `type` inside the data where the data begins with it, as it nearly
   * always does; read without decoding the rest. Undefined elsewhere: then the
   * data must be parsed to know.
   */
  get leadingType(): string | undefined {
    const line = this.lines[0];
    if (!line || !startsWith(line, TYPE_FIRST)) return undefined;
    const { bytes, end } = line;
    const start = line.start + TYPE_FIRST.length;
    // Longer than any type, or with an escape in it: not worth being clever.
    const most = Math.min(end, start + MAX_TYPE);
    let at = start;
    for (; at < most; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) return nameOf(bytes, start, at);
      if (byte === BACKSLASH || byte > 126) return undefined;
    }
    return undefined;
  }

  /**
   * The `type` inside the data, which is what OpenCode goes by; undefined when
   * the data has none or is no JSON. Scans the data only where the cheap look
   * does not tell.
   */
  get type(): string | undefined {
    return this.leadingType ??
      stringAt(this.data, scanTopLevel(this.data, ["type"])?.get("type"));
  }
}

/** Cuts a stream of bytes into events. Feed it chunks of any size. */
export class SseFramer {
  /** Bytes of all chunks before the current one. */
  #base = 0;
  /** Pieces of the line that is not complete yet. */
  #carry: Uint8Array[] = [];
  #skipLf = false;
  #firstLine = true;
  #data: Slice[] = [];
  #name: Slice | undefined;
  #boundary = 0;

  /**
   * Offset in the stream up to which everything is complete: behind the last
   * finished event or comment. What lies behind it is part of an event whose
   * end has not come.
   */
  get boundary(): number {
    return this.#boundary;
  }

  /** Bytes fed so far. */
  get length(): number {
    return this.#base;
  }

  /**
   * Takes the next bytes and hands out every event that they complete. The
   * chunk must not be changed afterwards: events refer to it.
   */
  feed(chunk: Uint8Array, onEvent: (event: SseEvent) => void): void {
    let at = 0;
    if (this.#skipLf && chunk.length > 0) {
      this.#skipLf = false;
      if (chunk[0] === LF) {
        at = 1;
        this.#markBoundary(this.#base + 1);
      }
    }
    let lf = -2;
    let cr = -2;
    while (at < chunk.length) {
      // Both searches run native code and are repeated only once passed.
      if (lf !== -1 && lf < at) lf = chunk.indexOf(LF, at);
      if (cr !== -1 && cr < at) cr = chunk.indexOf(CR, at);
      const end = lf < 0 ? cr : cr < 0 ? lf : Math.min(lf, cr);
      if (end < 0) break;
      let next = end + 1;
      if (end === cr) {
        if (next === chunk.length) this.#skipLf = true;
        else if (chunk[next] === LF) next++;
      }
      this.#line(chunk, at, end, this.#base + next, onEvent);
      at = next;
    }
    if (at < chunk.length) this.#carry.push(at === 0 ? chunk : chunk.subarray(at));
    this.#base += chunk.length;
  }

  /**
   * The data of the event that has begun and lacks its blank line, for a
   * stream that ended there; undefined when no data is pending. Complete lines
   * and the last, unfinished one count.
   */
  get unfinishedData(): string | undefined {
    const lines = [...this.#data];
    const rest = join(this.#carry, new Uint8Array(), 0, 0);
    const value = fieldValue(rest, DATA);
    if (value) lines.push(value);
    return lines.length === 0 ? undefined : lines.map(decode).join("\n");
  }

  /** One complete line. */
  #line(
    chunk: Uint8Array,
    start: number,
    end: number,
    behind: number,
    onEvent: (event: SseEvent) => void,
  ): void {
    let line: Slice = { bytes: chunk, start, end };
    if (this.#carry.length > 0) {
      line = join(this.#carry, chunk, start, end);
      this.#carry = [];
    }
    if (this.#firstLine) {
      this.#firstLine = false;
      line = withoutBom(line);
    }
    if (line.start === line.end) return this.#blank(behind, onEvent);
    const data = fieldValue(line, DATA);
    if (data) this.#data.push(data);
    else this.#name = fieldValue(line, EVENT) ?? this.#name;
    this.#markBoundary(behind);
  }

  #blank(behind: number, onEvent: (event: SseEvent) => void): void {
    const lines = this.#data;
    const name = this.#name;
    if (lines.length > 0) this.#data = [];
    this.#name = undefined;
    this.#boundary = behind;
    if (lines.length > 0) onEvent(new SseEvent(lines, name, behind));
  }

  /** A comment or an unknown field on its own line belongs to no event and may go on at once. */
  #markBoundary(behind: number): void {
    if (this.#data.length === 0 && this.#name === undefined) this.#boundary = behind;
  }
}

/** The value of a line if the line is this field: behind the colon and one optional space. */
function fieldValue(line: Slice, field: Uint8Array): Slice | undefined {
  if (!startsWith(line, field)) return undefined;
  const { bytes, end } = line;
  const colon = line.start + field.length;
  // "data" alone is the field with an empty value.
  if (colon === end) return { bytes, start: end, end };
  if (bytes[colon] !== COLON) return undefined;
  const start = colon + 1;
  return { bytes, start: start < end && bytes[start] === SPACE ? start + 1 : start, end };
}

/** ASCII bytes as a string; a frequent one without making it. */
function nameOf(bytes: Uint8Array, start: number, end: number): string {
  search: for (const known of BY_LENGTH[end - start] ?? []) {
    // From the end: most names share their beginning.
    for (let at = known.bytes.length - 1; at >= 0; at--) {
      if (bytes[start + at] !== known.bytes[at]) continue search;
    }
    return known.name;
  }
  return decoder.decode(bytes.subarray(start, end));
}

function startsWith(line: Slice, prefix: Uint8Array): boolean {
  if (line.end - line.start < prefix.length) return false;
  for (let at = 0; at < prefix.length; at++) {
    if (line.bytes[line.start + at] !== prefix[at]) return false;
  }
  return true;
}

function withoutBom(line: Slice): Slice {
  const { bytes, start, end } = line;
  const has = end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb &&
    bytes[start + 2] === 0xbf;
  return has ? { bytes, start: start + 3, end } : line;
}

function join(pieces: readonly Uint8Array[], last: Uint8Array, start: number, end: number): Slice {
  const size = pieces.reduce((sum, piece) => sum + piece.length, end - start);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  bytes.set(last.subarray(start, end), at);
  return { bytes, start: 0, end: size };
}

// Each line holds whole characters, so a decoder of its own is right for each.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function decode({ bytes, start, end }: Slice): string {
  return decoder.decode(bytes.subarray(start, end));
}
