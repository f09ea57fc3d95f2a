/**
 * What stands between `node:http` and a `fetch` handler. A package that does this was measured in its
 * place: it imports `node:http2` at its top, and in a single file such imports cost every command of
 * this program some 50 ms at its start.
 *
 * @module
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

/** Answers requests of a `node:http` server with a handler of Web requests. */
export function webListener(
  fetch: (request: Request) => Response | Promise<Response>,
): RequestListener {
  return (incoming, outgoing) => {
    answer(fetch, incoming, outgoing).catch(() => {
      // The client has left, or what was begun cannot be finished.
      outgoing.destroy();
    });
  };
}

async function answer(
  fetch: (request: Request) => Response | Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  outgoing.on("error", () => {});
  incoming.on("error", () => {});
  const request = requestOf(incoming, gone.signal);
  if (!request) {
    outgoing.writeHead(400, { connection: "close" }).end();
    return;
  }
  const response = await fetch(request);
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) outgoing.setHeader(name, value);
  // What of the body nobody wanted must not be taken for the next request.
  if (!incoming.complete) outgoing.setHeader("connection", "close");
  outgoing.flushHeaders();
  const reader = response.body?.getReader();
  if (reader) {
    const leave = () => void reader.cancel().catch(() => {});
    gone.signal.addEventListener("abort", leave);
    // The client may have left while the answer was made.
    if (gone.signal.aborted) leave();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || gone.signal.aborted) break;
      if (!outgoing.write(value)) await drained(outgoing);
    }
  }
  outgoing.end(() => {
    if (!incoming.complete) incoming.destroy();
  });
}

/** The request as the handler reads it; undefined for an address that is none. Its host is in the headers. */
function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request | undefined {
  const { method = "GET", url = "/", rawHeaders } = incoming;
  const target = url.startsWith("/") ? `http://127.0.0.1${url}` : url;
  if (!URL.canParse(target)) return undefined;
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  }
  const body = method === "GET" || method === "HEAD" ? null : bodyOf(incoming);
  return new Request(target, { method, headers, body, signal, ...(body && { duplex: "half" }) });
}

function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(new Uint8Array(value));
    },
    cancel: () => void incoming.pause(),
  }, { highWaterMark: 0 });
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off("drain", done);
      outgoing.off("close", done);
      resolve();
    };
    outgoing.once("drain", done);
    outgoing.once("close", done);
  });
}
