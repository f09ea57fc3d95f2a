import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import { setImmediate } from "node:timers";
import type { StreamEvent } from "./answer.ts";
import { whenClosed } from "./http.ts";

/** The client, or the simulator's end, closed the connection under a stream. */
export class ConnectionGone extends Error {}

/** Writes server-sent events, in one piece each or split at odd places. */
export class SseWriter {
  readonly #response: ServerResponse;
  readonly #chunkBytes: number | undefined;
  readonly #gone: Promise<never>;

  /** @param chunkBytes Bytes of each piece; undefined = one piece for each event. */
  constructor(response: ServerResponse, chunkBytes: number | undefined) {
    this.#response = response;
    this.#chunkBytes = chunkBytes;
    this.#gone = whenClosed(response).then(() => {
      throw new ConnectionGone("The connection closed.");
    });
    // A stream that is not being written to when the client goes has nobody to tell.
    this.#gone.catch(() => {});
  }

  /** @throws {ConnectionGone} */
  event(event: StreamEvent): Promise<void> {
    return this.bytes(Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`));
  }

  /**
   * Resolves when the bytes are on their way.
   *
   * @throws {ConnectionGone}
   */
  async bytes(bytes: Uint8Array): Promise<void> {
    const size = this.#chunkBytes ?? bytes.length;
    for (let at = 0; at < bytes.length; at += size) {
      await this.#write(bytes.subarray(at, at + size));
      // A turn of the event loop, so that pieces do not flow together again on the way.
      if (this.#chunkBytes !== undefined) await new Promise<void>((done) => setImmediate(done));
    }
  }

  #write(bytes: Uint8Array): Promise<void> {
    if (this.#response.destroyed) throw new ConnectionGone("The connection closed.");
    const written = new Promise<void>((resolve, reject) =>
      this.#response.write(
        bytes,
        (error) => error ? reject(new ConnectionGone("The connection closed.")) : resolve(),
      )
    );
    return Promise.race([written, this.#gone]);
  }
}
