import { createServer, type IncomingMessage, type RequestListener } from "node:http";

/** A server of this test alone, on a port that the system chose. */
export interface LocalServer {
  readonly origin: string;
  /** Bodies of the requests so far. */
  readonly bodies: string[];
  /** Resolves with the next request, when its body is here. */
  nextRequest(): Promise<IncomingMessage>;
  close(): void;
}

/** Starts a server that reads a request's body before `onRequest` answers it. */
export async function startLocalServer(onRequest: RequestListener): Promise<LocalServer> {
  const bodies: string[] = [];
  let waiting: ((request: IncomingMessage) => void)[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    bodies.push(body);
    for (const resolve of waiting) resolve(request);
    waiting = [];
    onRequest(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port was given.");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    bodies,
    nextRequest: () => new Promise((resolve) => waiting.push(resolve)),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** An origin on which nothing listens. */
export async function deadOrigin(): Promise<string> {
  const server = await startLocalServer(() => {});
  server.close();
  return server.origin;
}
