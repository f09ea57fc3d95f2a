/** Characters in one piece. */
const PIECE = 64 * 1024;
/** Head start of the first piece, in milliseconds: the style is fetched and the beginning painted in it. */
const HEAD_START_MS = 60;

/**
 * A page in pieces, with a turn for other requests between them, so that a browser paints the beginning
 * before the end of a thousand accounts is there. A short page is one piece.
 */
export function inPieces(html: string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let at = 0;
  let pauseMs = HEAD_START_MS;
  return new ReadableStream({
    async pull(controller) {
      if (at > 0) {
        const pause = pauseMs;
        await new Promise((resolve) => setTimeout(resolve, pause));
        pauseMs = 0;
      }
      let end = Math.min(at + PIECE, html.length);
      // A character of two halves stays whole.
      if (end < html.length && html.charCodeAt(end - 1) >> 10 === 0x36) end--;
      controller.enqueue(encoder.encode(html.slice(at, end)));
      at = end;
      if (at === html.length) controller.close();
    },
  }, { highWaterMark: 0 });
}
