import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Context } from "../../src/cli/context.ts";
import { fixtureIdentity, type Simulator, startSimulator } from "../simulator/simulator.ts";
import { type Ran, type Session, withSession } from "./session.ts";

/** A machine, an issuer with three plans, and a browser in which the person is signed in. */
export interface Scene {
  readonly session: Session;
  readonly simulator: Simulator;
  /** Runs `add` with these arguments; the browser opens and returns by itself. */
  add(argv: readonly string[], changes?: Partial<Context>): Promise<Ran>;
}

export async function withScene(test: (scene: Scene) => Promise<void>): Promise<void> {
  await withSession(async (session) => {
    // The issuer takes registered ports only, and those are one pair for the whole machine.
    const port = await freePort();
    const simulator = await startSimulator({ clock: session.clock, redirectPorts: [port] });
    for (const name of ["personal", "work", "backup"] as const) {
      simulator.addPlan(fixtureIdentity(name).plan);
    }
    try {
      await test({
        session,
        simulator,
        add: (argv, changes) =>
          session.runWith(
            {
              env: environment(session, simulator.issuerUrl),
              fetch,
              callbackPorts: [port],
              openBrowser,
              ...changes,
            },
            "add",
            ...argv,
          ),
      });
    } finally {
      await simulator.close();
    }
  });
}

export function environment(session: Session, issuer: string): Record<string, string> {
  return { HOME: session.home, OPENCODE_MULTI_AUTH_ISSUER_URL: issuer };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A browser in which the person is signed in: it follows redirects, also back to us. */
export async function openBrowser(url: string): Promise<boolean> {
  const response = await fetch(url);
  await response.body?.cancel();
  return true;
}

/** Lets virtual time pass, but never while an answer is on its way. */
export async function untilDone<T>(
  session: Session,
  start: (fetch_: typeof fetch) => Promise<T>,
): Promise<T> {
  let inFlight: Promise<unknown> | undefined;
  let done = false;
  const result = start((...args: Parameters<typeof fetch>) => {
    const answer = fetch(...args);
    inFlight = answer.catch(() => {}).finally(() => inFlight = undefined);
    return answer;
  }).finally(() => done = true);
  while (!done) {
    if (inFlight) await inFlight;
    else await session.clock.advance(1_000);
  }
  return await result;
}

/** What must hold of every refusal: one line, exit 1, nothing changed. */
export function assertRefused(ran: Ran, text: RegExp): void {
  assert.equal(ran.code, 1);
  assert.match(ran.err, /^Error: [^\n]+\n$/);
  assert.match(ran.err, text);
}

export async function accounts(session: Session): Promise<Record<string, unknown>[]> {
  return (await session.json("status", "--json"))["accounts"] as Record<string, unknown>[];
}

/** The same, with nobody who opens a browser. */
export async function withPasteScene(test: (scene: Scene) => Promise<void>): Promise<void> {
  await withSession(async (session) => {
    const simulator = await startSimulator({ clock: session.clock });
    simulator.addPlan(fixtureIdentity("personal").plan);
    try {
      await test({
        session,
        simulator,
        add: (argv, changes) =>
          session.runWith(
            { env: environment(session, simulator.issuerUrl), fetch, ...changes },
            "add",
            ...argv,
          ),
      });
    } finally {
      await simulator.close();
    }
  });
}
