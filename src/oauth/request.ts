import type { Clock } from "../platform/clock.ts";
import { connectFailure } from "./connect_failure.ts";
import { REQUEST_HEADERS } from "./issuer.ts";

/** What a request to the issuer came to. */
export type Sent =
  | {
    readonly kind: "answered";
    readonly status: number;
    readonly headers: Headers;
    /** Undefined when it was longer than {@linkcode MAX_BODY_BYTES} or broke off. */
    readonly body: string | undefined;
  }
  /** It certainly never left this machine. */
  | { readonly kind: "not sent"; readonly cause: string }
  /** It may have arrived, and its answer is lost. */
  | { readonly kind: "no answer"; readonly cause: "time limit" | "aborted" | "connection lost" };

/** What a request needs from outside. */
export interface Network {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** Ends the request. */
  readonly signal?: AbortSignal;
}

/** The same, for requests to the issuer. */
export interface IssuerNetwork extends Network {
  /** The issuer's URL, without a slash at the end. */
  readonly issuer: string;
}

/** How long an answer may take, in milliseconds. The issuer answers within a second or two. */
export const TIME_LIMIT_MS = 30_000;

/** Longest answer that is read, in bytes; a token answer has some 5,000. */
export const MAX_BODY_BYTES = 1_000_000;

/**
 * Sends one request to the issuer and reads its whole answer. Redirects are
 * not followed: they would carry tokens elsewhere. Never throws.
 *
 * @param init What to send; the headers that every request has are added.
 * @param limitMs How long it may take with its answer, in milliseconds.
 */
export async function send(
  network: Network,
  url: string,
  init: RequestInit,
  limitMs: number = TIME_LIMIT_MS,
): Promise<Sent> {
  const { clock, signal } = network;
  if (signal?.aborted) return { kind: "not sent", cause: "aborted" };
  const ended = new AbortController();
  let end: (sent: Sent) => void = () => {};
  const endedEarly = new Promise<Sent>((resolve) => {
    end = (sent) => {
      resolve(sent);
      ended.abort();
    };
  });
  const onAbort = () => end({ kind: "no answer", cause: "aborted" });
  signal?.addEventListener("abort", onAbort, { once: true });
  const stopTimer = clock.after(limitMs, () => end({ kind: "no answer", cause: "time limit" }));
  try {
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries(REQUEST_HEADERS)) headers.set(name, value);
    const request = { ...init, headers, redirect: "manual", signal: ended.signal } as const;
    // A fetch that ignores its signal must not outlast the limit.
    return await Promise.race([exchange(network.fetch, url, request), endedEarly]);
  } finally {
    stopTimer();
    signal?.removeEventListener("abort", onAbort);
  }
}

async function exchange(fetch_: typeof fetch, url: string, init: RequestInit): Promise<Sent> {
  let response: Response;
  try {
    response = await fetch_(url, init);
  } catch (error) {
    const cause = connectFailure(error);
    return cause === undefined
      ? { kind: "no answer", cause: "connection lost" }
      : { kind: "not sent", cause };
  }
  const { status, headers } = response;
  return { kind: "answered", status, headers, body: await readBody(response) };
}

async function readBody(response: Response): Promise<string | undefined> {
  if (!response.body) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      length += value.byteLength;
      if (length > MAX_BODY_BYTES) {
        await reader.cancel();
        return undefined;
      }
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return undefined;
  }
}
