import type { IncomingMessage, ServerResponse } from "node:http";
import { Failure, messageOf } from "../platform/failure.ts";
import { readCallback } from "./callback.ts";
import { callbackPage, PAGE_HEADERS } from "./callback_page.ts";
import { CALLBACK_PATH, CALLBACK_PORTS, callbackUrl } from "./issuer.ts";
import { cancelled } from "./issuer_failure.ts";
import { listenOnLoopback } from "./loopback.ts";
import type { Network } from "./request.ts";

/** A login that waits for the browser to come back. */
export interface CallbackServer<T> {
  readonly port: number;
  /** What the authorization request must name. */
  readonly redirectUri: string;
  /** What came of it. When it settles the port is free again. */
  readonly result: Promise<T>;
}

/** How long a person may take to sign in, in milliseconds. */
export const LOGIN_LIMIT_MS = 5 * 60_000;

/** How long the browser may take to fetch the last page, in milliseconds. */
const PAGE_LIMIT_MS = 2_000;

/** What the exchange came to; kept as a value, so that two pages may be made from it. */
type Outcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly error: unknown };

/**
 * Waits on this machine for the browser to return from the login page. The
 * first return that carries our state ends it, with a code or with the
 * issuer's refusal; any other hit gets its page and changes nothing.
 *
 * @param options.complete Exchanges the code. The browser's page waits for it, so that it says what is true.
 * @param options.ports Tried in this order (default: those that the issuer takes).
 * @param options.limitMs How long to wait for the return, in milliseconds (default 5 minutes).
 * @param options.signal Ends the wait and frees the port.
 * @throws {Failure} when no port can be had.
 */
export async function listenForCallback<T>(
  options: Network & {
    readonly state: string;
    readonly complete: (code: string, redirectUri: string) => Promise<T>;
    readonly ports?: readonly number[];
    readonly limitMs?: number;
  },
): Promise<CallbackServer<T>> {
  const { state, complete, clock, signal, ports = CALLBACK_PORTS, limitMs = LOGIN_LIMIT_MS } =
    options;
  const result = Promise.withResolvers<T>();
  // Whoever started the login may look at its result later.
  result.promise.catch(() => {});
  let exchange: Promise<Outcome<T>> | undefined;
  const pages = new Set<Promise<void>>();
  let ended = false;

  const loopback = await listenOnLoopback({
    ...options,
    ports,
    // A rejection that nobody hears would end OpenCode.
    onRequest: (request, response) =>
      void answer(request, response).catch(() => void response.destroy()),
  });
  const redirectUri = callbackUrl(loopback.port);
  const stopTimer = clock.after(limitMs, () =>
    end({
      kind: "failed",
      error: new Failure(
        `Nobody signed in within ${Math.round(limitMs / 60_000)} minutes.`,
        "Start the login again.",
      ),
    }));
  const onAbort = () => end({ kind: "failed", error: cancelled() });
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();

  function end(outcome: Outcome<T>): void {
    ended = true;
    stopTimer();
    signal?.removeEventListener("abort", onAbort);
    loopback.close();
    if (outcome.kind === "done") result.resolve(outcome.value);
    else result.reject(outcome.error);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? "", "http://localhost");
    const page = async (status: number, title: string, text: string) => {
      const writing = write(response, status, callbackPage(title, text), clock);
      pages.add(writing);
      await writing;
      pages.delete(writing);
    };
    // Bun keeps connections that were open but silent when the port was closed.
    if (ended) return await page(410, "Gone", "This login is over.");
    if (request.method !== "GET") return await page(405, "Not allowed", "Only GET is answered.");
    if (url?.pathname === "/cancel") {
      if (isFromPage(request)) return await page(403, "Refused", "No page may end a login.");
      // A login that has its code is over in a moment anyway.
      if (exchange) return await page(200, "Soon over", "This login has its code already.");
      // Before the answer, so that the other program finds the port free when it has it.
      loopback.free();
      await page(200, "Cancelled", "This login gives way to another one.");
      end({ kind: "failed", error: tookOver() });
      return;
    }
    if (url?.pathname !== CALLBACK_PATH) return await page(404, "Not found", "Nothing is here.");
    const callback = readCallback(url.searchParams, state);
    switch (callback.kind) {
      case "foreign":
      case "empty":
        return await page(
          400,
          "This is not the sign-in that was started",
          "Go back to the page that the login opened. The login is still waiting.",
        );
      case "denied":
        await page(400, "Not signed in", callback.failure.message);
        if (!exchange) end({ kind: "failed", error: callback.failure });
        return;
      case "code": {
        stopTimer();
        // Browsers load a page twice at times; the code may be sent only once.
        exchange ??= outcomeOf(() => complete(callback.code, redirectUri));
        const outcome = await exchange;
        if (outcome.kind === "done") {
          await page(200, "Signed in", "You can close this page and go back to the terminal.");
        } else {
          const { error } = outcome;
          const text = error instanceof Failure ? messageOf(error) : "Something went wrong.";
          await page(500, "Not signed in", text);
        }
        await Promise.all(pages);
        end(outcome);
      }
    }
  }

  return { port: loopback.port, redirectUri, result: result.promise };
}

async function outcomeOf<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { kind: "done", value: await work() };
  } catch (error) {
    return { kind: "failed", error };
  }
}

function tookOver(): Failure {
  return new Failure(
    "Another login on this machine has taken over.",
    "Finish that one, then start this one again.",
  );
}

/** Programs do not send this header; every current browser does, for whatever a page makes it fetch. */
function isFromPage(request: IncomingMessage): boolean {
  const site = request.headers["sec-fetch-site"];
  return site !== undefined && site !== "none";
}

/** Writes a page; resolves when it has left, or the browser has. */
function write(
  response: ServerResponse,
  status: number,
  html: string,
  clock: Network["clock"],
): Promise<void> {
  return new Promise((resolve) => {
    const stopTimer = clock.after(PAGE_LIMIT_MS, resolve);
    const done = () => {
      stopTimer();
      resolve();
    };
    response.once("close", done);
    response.once("error", done);
    if (response.destroyed) return done();
    response.writeHead(status, PAGE_HEADERS);
    response.end(html, done);
  });
}
