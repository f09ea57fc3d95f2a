/**
 * The simulated issuer and Codex backend, on a real socket of this machine.
 *
 * It follows what is known of auth.openai.com and chatgpt.com/backend-api: OAuth with PKCE, device
 * login, single-use refresh tokens, model turns over server-sent events, quota windows and the
 * figures about them, and the errors that were recorded in `tests/fixtures`. Where the real answer
 * is not known, a comment at that place says so. It runs wherever `node:http` does (Deno, Bun,
 * Node), needs no package, and takes time and randomness as arguments.
 *
 * What it cannot prove: nothing here is OpenAI's server. A test against it shows what our programs
 * do when the backend behaves as described, never that the backend does.
 *
 * Two traits of the runtimes to know. As a client, Deno's `fetch` sends a request once more by itself
 * when it went over a reused connection that ended before any byte of an answer (not when its body
 * is a stream): a scripted `refuse` or a token call that is `cut` is then met, and the next answer
 * follows unseen. With `keepAlive: false` every request has a connection of its own and that cannot
 * happen. As a server, Bun 1.3.14 (inside OpenCode) does not tell when a client leaves, so there
 * `aborted` stays false and `closed` waits; Bun 1.4, Deno and Node do.
 *
 * ```ts
 * const simulator = await startSimulator({ clock });
 * const personal = simulator.addPlan({ name: "personal", windows: [{ minutes: 300, costPercentPerRequest: 50 }] });
 * const { accessToken } = personal.issueTokens();
 * // … send requests to simulator.backendUrl, then look at simulator.requests …
 * await simulator.close();
 * ```
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, systemClock } from "../../src/platform/clock.ts";
import { type Backend, BACKEND_PATH, refuseUpgrade, serveBackend } from "./backend.ts";
import { type DeviceBehaviour, DeviceLogins } from "./device.ts";
import { checkFault, type Endpoint, type Fault, FaultQueue, type TokenFault } from "./faults.ts";
import { readBody, sendJson, UnsupportedEncoding } from "./http.ts";
import { Identifiers } from "./identifiers.ts";
import { type Issuer, serveIssuer } from "./issuer.ts";
import { Plan, type PlanOptions, type SimulatedPlan } from "./plan.ts";
import {
  describeRequest,
  describeTokenCall,
  Journal,
  type RequestRecord,
  type TokenCallRecord,
} from "./record.ts";
import { Approvals, AuthorizationCodes } from "./sign_in.ts";
import { TokenVault } from "./tokens.ts";
import type { ReplySource } from "./turn.ts";

export type { Reply, ToolCall } from "./answer.ts";
export type { DeviceBehaviour } from "./device.ts";
export { faultFromFixture } from "./faults.ts";
export type { Endpoint, Fault, FixtureRow, TokenFault } from "./faults.ts";
export { fixtureIdentity } from "./fixture_identity.ts";
export type { PlanOptions, SimulatedPlan } from "./plan.ts";
export type { WindowOptions } from "./quota.ts";
export type { RequestRecord, TokenCallRecord } from "./record.ts";
export type { IssuedTokens } from "./tokens.ts";
export type { ReplySource } from "./turn.ts";

/** How a simulator starts. */
export interface SimulatorOptions {
  /** Default the machine's. Codes, tokens, windows, resets and delays go by it. */
  clock?: Clock;
  /** Default a free one. */
  port?: number;
  /** Numbers from 0 up to, not including, 1, for ids and tokens; default `Math.random`. */
  random?: () => number;
  /** Whether a second use of a refresh token ends its whole family, live access tokens included (reported, not proven); default true. */
  revokeFamilyOnReuse?: boolean;
  /** Whether connections are kept for the next request; default true, as the real servers do. */
  keepAlive?: boolean;
  /** Ports whose redirect addresses the token endpoint takes; default 1455 and 1457, as registered. */
  redirectPorts?: readonly number[];
}

/** A running simulator. */
export interface Simulator {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** For `OPENCODE_MULTI_AUTH_ISSUER_URL`. */
  readonly issuerUrl: string;
  /** For `OPENCODE_MULTI_AUTH_BACKEND_URL`. */
  readonly backendUrl: string;
  readonly clock: Clock;
  /** What the model says; undefined = `Answer <n> served by <plan>`. A function may answer undefined for the same. */
  reply: ReplySource;
  /** Splits every stream into pieces of so many bytes; undefined = one piece for each event. */
  chunkBytes: number | undefined;
  /** How device logins go from now on. */
  device: DeviceBehaviour;
  /** Every request below `/backend-api`, oldest first. */
  readonly requests: readonly RequestRecord[];
  /** Every call of the token and revocation endpoints, oldest first. */
  readonly tokenCalls: readonly TokenCallRecord[];
  /** @throws {Error} when the name is taken. */
  addPlan(options: PlanOptions): SimulatedPlan;
  /** @throws {Error} when no plan has that name. */
  plan(name: string): SimulatedPlan;
  /** Who approves the next sign-in or device login; calls queue up. Default: plans in the order added, round and round. */
  approveNext(who: string | { refuse: "access_denied" }): void;
  /** Scripts a fault for whoever asks next, before the plans' own; default `responses`, default once. */
  fail(fault: Fault, times?: number, on?: Endpoint): void;
  /** Scripts a fault of the token endpoint for whoever calls next. */
  failToken(fault: TokenFault, times?: number): void;
  /** Forgets the faults scripted here (not those of the plans). */
  clearFaults(): void;
  /** Waits, without polling, for a request that fits; looked at again as its record fills. Gives up after `timeoutMs` real milliseconds (default 10,000). */
  waitFor(fits: (record: RequestRecord) => boolean, timeoutMs?: number): Promise<RequestRecord>;
  /** The same for calls of the token endpoint. */
  waitForTokenCall(
    fits: (record: TokenCallRecord) => boolean,
    timeoutMs?: number,
  ): Promise<TokenCallRecord>;
  /** Empties `requests` and `tokenCalls`: bodies of a long run need not stay in memory. */
  forget(): void;
  /** Destroys every open socket and frees the port. Calling it twice is harmless. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a simulator on 127.0.0.1. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const clock = options.clock ?? systemClock;
  const closing = new AbortController();
  const server = createServer();
  // A client that reuses an idle connection must never lose a race against its end: a reset that no
  // test scripted would look like a fault.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const identifiers = new Identifiers(options.random ?? Math.random);
  const plans = new Map<string, Plan>();
  const approvals = new Approvals(plans);
  const codes = new AuthorizationCodes(clock, identifiers);
  const vault = new TokenVault({
    clock,
    identifiers,
    issuer: origin,
    revokeFamilyOnReuse: options.revokeFamilyOnReuse ?? true,
  });
  const requests = new Journal<RequestRecord>(describeRequest);
  const tokenCalls = new Journal<TokenCallRecord>(describeTokenCall);
  const faults = new FaultQueue<Fault, Endpoint>();
  const tokenFaults = new FaultQueue<TokenFault, "token">();
  const devices = new DeviceLogins({ origin, clock, identifiers, codes, approvals });

  const simulator: Simulator = {
    origin,
    issuerUrl: origin,
    backendUrl: origin + BACKEND_PATH,
    clock,
    reply: undefined,
    chunkBytes: undefined,
    get device() {
      return devices.behaviour;
    },
    set device(behaviour) {
      devices.behaviour = behaviour;
    },
    requests: requests.entries,
    tokenCalls: tokenCalls.entries,
    addPlan(options) {
      if (plans.has(options.name)) throw new Error(`A plan "${options.name}" exists already.`);
      const plan = new Plan(options, clock, vault);
      plans.set(options.name, plan);
      return plan;
    },
    plan(name) {
      const plan = plans.get(name);
      if (!plan) throw new Error(`No plan is called "${name}"; add it with addPlan first.`);
      return plan;
    },
    approveNext: (who) => approvals.approveNext(who),
    fail(fault, times = 1, on = "responses") {
      checkFault(fault, on);
      faults.add(fault, on, times);
    },
    failToken: (fault, times = 1) => tokenFaults.add(fault, "token", times),
    clearFaults() {
      faults.clear();
      tokenFaults.clear();
    },
    waitFor: (fits, timeoutMs) => requests.waitFor(fits, timeoutMs),
    waitForTokenCall: (fits, timeoutMs) => tokenCalls.waitFor(fits, timeoutMs),
    forget() {
      requests.forget();
      tokenCalls.forget();
    },
    async close() {
      if (closing.signal.aborted) return;
      closing.abort(new Error("The simulator is closed."));
      requests.close();
      tokenCalls.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
    [Symbol.asyncDispose]() {
      return simulator.close();
    },
  };

  const issuer: Issuer = {
    approvals,
    codes,
    devices,
    vault,
    desk: {
      origin,
      clock,
      closing: closing.signal,
      codes,
      vault,
      plans,
      faults: tokenFaults,
      calls: tokenCalls,
      redirectPorts: options.redirectPorts ?? [1455, 1457],
    },
  };
  const backend: Backend = {
    clock,
    closing: closing.signal,
    identifiers,
    vault,
    plans,
    faults,
    requests,
    cache: new Map(),
    changed: () => requests.changed(),
    get reply() {
      return simulator.reply;
    },
    get chunkBytes() {
      return simulator.chunkBytes;
    },
  };

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    if (options.keepAlive === false) response.setHeader("connection", "close");
    serve(request, response, origin, issuer, backend).catch((error: unknown) => {
      if (closing.signal.aborted || response.destroyed) return;
      if (response.headersSent) return response.destroy();
      const status = error instanceof UnsupportedEncoding ? 400 : 500;
      sendJson(response, status, { detail: `The simulator failed: ${error}` });
    });
  });
  server.on("upgrade", (request: IncomingMessage, socket) => {
    socket.end(refuseUpgrade(request, new URL(request.url ?? "/", origin), backend));
  });
  // Codex sends what is not for loopback through the proxy it was told of, and that may be us.
  server.on("connect", (_request: IncomingMessage, socket) => {
    socket.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  });
  return simulator;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  origin: string,
  issuer: Issuer,
  backend: Backend,
): Promise<void> {
  const url = new URL(request.url ?? "/", origin);
  const call = { request, response, url, body: await readBody(request) };
  if (url.pathname.startsWith(`${BACKEND_PATH}/`)) await serveBackend(call, backend);
  else await serveIssuer(call, issuer);
}
