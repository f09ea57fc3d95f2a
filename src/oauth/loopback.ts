import type { RequestListener, Server } from "node:http";
import { builtin } from "../platform/runtime.ts";
import { sleep } from "../platform/clock.ts";
import { errorCode, Failure } from "../platform/failure.ts";
import { cancelled } from "./issuer_failure.ts";
import { type Network, send } from "./request.ts";

/** A port of this machine on which we listen, under both names that a browser may pick for `localhost`. */
export interface Loopback {
  readonly port: number;
  /** Frees the port; connections that are open may still be answered. */
  free(): void;
  /** Frees the port and ends every connection, at once. */
  close(): void;
}

/** Both addresses of `localhost`. A machine without IPv6 lacks the second. */
const HOSTS = ["127.0.0.1", "::1"] as const;

/** How often and how far apart a busy port is tried, as the Codex CLI does it; the pause in milliseconds. */
const TRIES = 10;
const PAUSE_MS = 200;
/** How long the other program may take to give way, in milliseconds. */
const CANCEL_LIMIT_MS = 2_000;

/** What listening on one port came to. */
type Bound =
  | { readonly kind: "bound"; readonly loopback: Loopback }
  | { readonly kind: "taken"; readonly host: string; readonly code: string };

/**
 * Listens on the first of several ports that can be had. Another login that
 * holds one is asked to give way (`GET /cancel`, as the Codex CLI asks), since
 * it may be one that was forgotten.
 *
 * @throws {Failure} when none can be had, or the signal aborts.
 */
export async function listenOnLoopback(
  options: Network & {
    readonly ports: readonly number[];
    readonly onRequest: RequestListener;
  },
): Promise<Loopback> {
  const { clock, signal, ports } = options;
  let code = "";
  for (const port of ports) {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      if (signal?.aborted) throw cancelled();
      const bound = await bind(port, options.onRequest);
      if (bound.kind === "bound") return bound.loopback;
      code = bound.code;
      // Reserved by the system or forbidden: waiting will not help.
      if (code !== "EADDRINUSE") break;
      if (attempt === 1) await askToGiveWay(options, bound.host, port);
      if (attempt < TRIES) {
        await sleep(clock, PAUSE_MS, signal).catch(() => {
          throw cancelled();
        });
      }
    }
  }
  const names = ports.join(" and ");
  throw new Failure(
    `The browser can return to no other port of this machine than ${names}, and none is free (${code}).`,
    "End the other login or the program that listens there, or sign in with a device code or a pasted callback.",
  );
}

async function askToGiveWay(network: Network, host: string, port: number): Promise<void> {
  const name = host.includes(":") ? `[${host}]` : host;
  await send(network, `http://${name}:${port}/cancel`, {}, CANCEL_LIMIT_MS);
}

/** Both hosts or none: a stranger on the other one would be handed the code. */
async function bind(port: number, onRequest: RequestListener): Promise<Bound> {
  const servers: Server[] = [];
  const free = () => servers.forEach((server) => server.close());
  const close = () => {
    free();
    servers.forEach((server) => server.closeAllConnections());
  };
  for (const host of HOSTS) {
    // Port 0 lets the system choose, once for both.
    const wanted = portOf(servers[0]) ?? port;
    try {
      servers.push(await listen(host, wanted, onRequest));
    } catch (error) {
      const code = errorCode(error) ?? "unknown error";
      if (servers.length > 0 && code !== "EADDRINUSE") break;
      close();
      return { kind: "taken", host, code };
    }
  }
  return { kind: "bound", loopback: { port: portOf(servers[0]) ?? port, free, close } };
}

function listen(host: string, port: number, onRequest: RequestListener): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = builtin("node:http").createServer(onRequest);
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off("error", reject);
      // A later error concerns one connection only.
      server.on("error", () => {});
      resolve(server);
    });
  });
}

function portOf(server: Server | undefined): number | undefined {
  const address = server?.address();
  return typeof address === "object" ? address?.port : undefined;
}
