/**
 * The dashboard's server: a loopback address, and limits on time, size and connections.
 *
 * @module
 */
import type { AddressInfo } from "node:net";
import { errorCode } from "../platform/failure.ts";
import { builtin } from "../platform/runtime.ts";
import { checkHost } from "./guard.ts";
import { webListener } from "./listener.ts";

/** What a client may take of the server. Times are milliseconds. */
export const LIMITS = {
  /** To send the head of a request. */
  headMs: 5_000,
  /** To send the whole of it. */
  requestMs: 15_000,
  /** How often the server looks whether somebody is too slow. */
  lookMs: 1_000,
  /** How long a silent connection is kept for the next request. */
  idleMs: 5_000,
  /** How long answers under way may take when the server stops. */
  stopMs: 1_000,
  /** Connections at once. A browser opens six for all pages of an origin. */
  connections: 128,
  /** Requests over one connection. */
  requests: 10_000,
  /** Longest head of a request, in bytes. */
  headBytes: 8 * 1024,
};

/** A server that listens. */
export interface Serving {
  readonly host: string;
  readonly port: number;
  /** Takes no more connections, and ends those there are within a second. */
  close(): Promise<void>;
}

/** Somebody else listens on the port. */
export class PortInUse extends Error {
  constructor(readonly port: number) {
    super(`port ${port} is in use`);
  }
}

/**
 * Listens for requests.
 *
 * @param options.host A loopback address.
 * @param options.port 0 takes a free one.
 * @throws {Failure} for a host that is no loopback address.
 * @throws {PortInUse} when the port is taken.
 */
export async function serve(options: {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly host: string;
  readonly port: number;
  /** Default {@linkcode LIMITS}. */
  readonly limits?: Partial<typeof LIMITS>;
}): Promise<Serving> {
  const limits = { ...LIMITS, ...options.limits };
  const host = checkHost(options.host);
  const server = builtin("node:http").createServer({
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.lookMs,
    keepAliveTimeout: limits.idleMs,
    maxHeaderSize: limits.headBytes,
  }, webListener(options.fetch));
  server.maxConnections = limits.connections;
  server.maxRequestsPerSocket = limits.requests;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      reject(errorCode(error) === "EADDRINUSE" ? new PortInUse(options.port) : error);
    });
    server.listen({ host, port: options.port, exclusive: true }, resolve);
  });
  // A later error concerns one connection only.
  server.on("error", () => {});
  const { port } = server.address() as AddressInfo;
  return {
    host,
    port,
    close: () =>
      new Promise((resolve) => {
        const end = setTimeout(() => server.closeAllConnections(), limits.stopMs);
        server.close(() => {
          clearTimeout(end);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}
