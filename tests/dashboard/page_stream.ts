import type { Change } from "../../src/dashboard/stream.ts";
import type { Stage, Visitor } from "./stage.ts";

/** One event of a stream; a change has an `id`, an end has not. */
export interface StreamEvent extends Change {
  readonly event: "message" | "reload" | "bye";
  readonly id: string | undefined;
  /** Bytes of the change. */
  readonly size: number;
}

/** A page's stream as its browser reads it. */
export interface Stream {
  readonly response: Response;
  /** The next event; the clock moves while none comes. */
  next(): Promise<StreamEvent>;
  close(): Promise<void>;
}

/** The address of the stream that a page names. */
export function eventsIn(html: string): string {
  return /data-events="([^"]+)"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "";
}

/**
 * Opens the stream of a page.
 *
 * @param address The page, or a stream.
 */
export async function openStream(
  stage: Stage,
  visitor: Visitor,
  address = "/",
): Promise<Stream> {
  const response = await visitor.get(
    address.startsWith("/events") ? address : eventsIn(await (await visitor.get(address)).text()),
  );
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const events: StreamEvent[] = [];
  let text = "";
  let ended = reader === undefined;
  void (async () => {
    while (reader && !ended) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (done) ended = true;
      text += value ?? "";
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const fields = new Map(
          text.slice(0, end).split("\n").map((line) => {
            const [name = "", ...rest] = line.split(": ");
            return [name, rest.join(": ")] as const;
          }),
        );
        text = text.slice(end + 2);
        const data = fields.get("data");
        if (data === undefined) continue;
        events.push({
          event: (fields.get("event") ?? "message") as StreamEvent["event"],
          ...JSON.parse(data || "{}"),
          id: fields.get("id"),
          size: data.length,
        });
      }
    }
  })();
  return {
    response,
    async next() {
      for (let step = 0; step < 100; step++) {
        const event = events.shift();
        if (event) return event;
        await stage.clock.advance(100);
      }
      throw new Error("Nothing has come.");
    },
    async close() {
      ended = true;
      await reader?.cancel().catch(() => {});
    },
  };
}
