import { type CallbackServer, listenForCallback } from "../../src/oauth/callback_server.ts";
import { VirtualClock } from "../virtual_clock.ts";

/** Of every login here. */
export const STATE = "8f14e45fceea167a5a36dedd4bea2543";

/** A login whose exchange gives the code back. */
export function waitForCode(options: {
  clock?: VirtualClock;
  signal?: AbortSignal;
  ports?: readonly number[];
  complete?: (code: string, redirectUri: string) => Promise<string>;
} = {}): Promise<CallbackServer<string>> {
  return listenForCallback({
    fetch,
    clock: new VirtualClock(),
    state: STATE,
    complete: (code) => Promise.resolve(code),
    ...options,
  });
}

/** What a browser gets. */
export async function get(port: number, path: string, init?: RequestInit & { host?: string }) {
  const response = await fetch(`http://${init?.host ?? "127.0.0.1"}:${port}${path}`, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The address of a callback that ends the login. */
export const good = (code = "ac_1") => `/auth/callback?code=${code}&state=${STATE}`;
