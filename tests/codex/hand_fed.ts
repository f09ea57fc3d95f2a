/** A response body that a test feeds by hand. */
export interface HandFed {
  readonly response: Response;
  /** Sends bytes. */
  send(...chunks: (string | Uint8Array<ArrayBuffer>)[]): void;
  /** Closes in good order. */
  end(): void;
  /** Breaks the connection. */
  cut(error: unknown): void;
  /** Why the body was cancelled; undefined while it was not. */
  readonly cancelled: { readonly reason: unknown } | undefined;
  /** How many chunks were asked for. */
  readonly pulls: number;
}

/** Makes a response whose body comes from the test. */
export function handFed(headers: Record<string, string> = {}): HandFed {
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  let cancelled: { reason: unknown } | undefined;
  let pulls = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (given) => {
      controller = given;
    },
    pull: () => {
      pulls++;
    },
    cancel: (reason) => {
      cancelled = { reason };
    },
  }, { highWaterMark: 0 });
  return {
    response: new Response(body, { headers: { "content-type": "text/event-stream", ...headers } }),
    send: (...chunks) => {
      for (const chunk of chunks) {
        controller.enqueue(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk);
      }
    },
    end: () => controller.close(),
    cut: (error) => controller.error(error),
    get cancelled() {
      return cancelled;
    },
    get pulls() {
      return pulls;
    },
  };
}

/** A response whose body is these chunks. */
export function chunked(chunks: readonly Uint8Array<ArrayBuffer>[]): Response {
  let next = 0;
  return new Response(
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => {
        const chunk = chunks[next++];
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
    }, { highWaterMark: 0 }),
    { headers: { "content-type": "text/event-stream" } },
  );
}

/** Bytes cut at these places (in any order, beyond the end included). */
export function cutAt(
  bytes: Uint8Array<ArrayBuffer>,
  places: readonly number[],
): Uint8Array<ArrayBuffer>[] {
  const sorted = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let from = 0;
  for (const to of [...sorted, bytes.length]) {
    if (to > from) chunks.push(bytes.slice(from, to));
    from = Math.max(from, to);
  }
  return chunks;
}
