import { type SseEvent, SseFramer } from "./sse.ts";

/** Bytes of a body as `fetch` hands them out. */
export type Chunk = Uint8Array<ArrayBuffer>;

/**
 * The way of bytes from the backend to the reader: events are seen as they
 * come in, bytes go out as they were, and never more of them than whole events.
 *
 * The rest of an unfinished event waits for its end. That costs its reader
 * nothing, since an event counts from its end on, and it lets us put an event
 * of our own behind the last whole one when the connection breaks.
 */
export class Passage {
  readonly #framer = new SseFramer();
  #chunks: Chunk[] = [];
  /** Index of the first chunk that is not handed out yet. */
  #first = 0;
  /** Offset of that chunk in the stream, in bytes. */
  #sent = 0;

  /** Bytes that have come in so far. */
  get length(): number {
    return this.#framer.length;
  }

  /** The data of an event that has begun and not ended; see {@linkcode SseFramer.unfinishedData}. */
  get unfinishedData(): string | undefined {
    return this.#framer.unfinishedData;
  }

  /** Takes bytes in, and hands out every event that they complete. */
  take(chunk: Chunk, onEvent: (event: SseEvent) => void): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#framer.feed(chunk, onEvent);
  }

  /** The next bytes that may go out: a chunk as it came, or its part up to the last whole event. */
  next(): Chunk | undefined {
    const ready = this.#framer.boundary - this.#sent;
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined || ready <= 0) return undefined;
    if (chunk.length > ready) {
      this.#sent += ready;
      this.#chunks[this.#first] = chunk.subarray(ready);
      return chunk.subarray(0, ready);
    }
    this.#sent += chunk.length;
    if (++this.#first === this.#chunks.length) this.clear();
    return chunk;
  }

  /** Everything that waits, unfinished or not. */
  rest(): Chunk[] {
    const rest = this.#chunks.slice(this.#first);
    this.clear();
    return rest;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#chunks = [];
    this.#first = 0;
  }
}
