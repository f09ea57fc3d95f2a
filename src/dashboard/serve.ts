/**
 * The dashboard's server: a loopback address, and limits on time, size and connections.
 *
 * @module
 */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { errorCode } from "../platform/failure.ts";
import { checkHost } from "./guard.ts";

/** How long a client may take to send the head of a request, in milliseconds. */
export const HEAD_MS = 5_000;
/** How long it may take to send the whole of it, in milliseconds. */
export const REQUEST_MS = 15_000;
/** How often the server looks whether somebody is too slow, in milliseconds. */
const LOOK_MS = 1_000;
/** How long a silent connection is kept for the next request, in milliseconds. */
const IDLE_MS = 5_000;
/** Connections at once. A browser opens six for a page; the rest is for further pages. */
export const MAX_CONNECTIONS = 128;
/** Requests over one connection. */
const MAX_REQUESTS = 10_000;
/** Longest head of a request, in bytes. */
const MAX_HEAD_BYTES = 8 * 1024;
/** How long answers under way may take when the server stops, in milliseconds. */
const STOP_MS = 1_000;

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
}): Promise<Serving> {
  const host = checkHost(options.host);
  const server = createAdaptorServer({
    fetch: options.fetch,
    // The globals of this process are not the server's to change.
    overrideGlobalObjects: false,
    serverOptions: {
      headersTimeout: HEAD_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: LOOK_MS,
      keepAliveTimeout: IDLE_MS,
      maxHeaderSize: MAX_HEAD_BYTES,
    },
  }) as Server;
  server.maxConnections = MAX_CONNECTIONS;
  server.maxRequestsPerSocket = MAX_REQUESTS;
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
        const end = setTimeout(() => server.closeAllConnections(), STOP_MS);
        server.close(() => {
          clearTimeout(end);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}
