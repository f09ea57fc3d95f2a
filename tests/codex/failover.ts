import { readFileSync } from "node:fs";
import type { Account } from "../../src/account/account.ts";
import { createSender } from "../../src/codex/attempt.ts";
import { type CodexFetch, createCodexFetch } from "../../src/codex/fetch.ts";
import type { JourneyOptions } from "../../src/codex/journey_options.ts";
import type { PoolEvent } from "../../src/codex/pool_event.ts";
import { createRefresher } from "../../src/oauth/refresh_transaction.ts";
import type { RefreshResult } from "../../src/oauth/refresh.ts";
import { silentLog } from "../../src/platform/log.ts";
import { type Settings, STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { Pool } from "../../src/rotation/pool.ts";
import { MemoryStore, testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";

/** What a scripted backend does with one request. */
export type Reply =
  | Response
  | Error
  | ((
    request: { signal: AbortSignal; body: string; alias: string },
  ) => Response | Promise<Response>);

/** One request as the scripted backend saw it. */
export interface Seen {
  readonly alias: string;
  readonly token: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
  readonly rawBody: unknown;
  readonly at: number;
}

const fixtures = new URL("../fixtures/", import.meta.url);

/** A stream of `tests/fixtures/sse`, as an answer. */
export function stream(name: string, headers: Record<string, string> = {}): Response {
  return new Response(readFileSync(new URL(`sse/${name}.sse`, fixtures)), {
    headers: { "content-type": "text/event-stream", ...headers },
  });
}

/** A row of `tests/fixtures/codex/errors.json`, as an answer. */
export function failure(name: string): Response {
  const rows = JSON.parse(readFileSync(new URL("codex/errors.json", fixtures), "utf8")) as {
    name: string;
    status: number;
    headers: Record<string, string>;
    body: unknown;
  }[];
  const row = rows.find((one) => one.name === name);
  if (!row) throw new Error(`no fixture ${name}`);
  const body = typeof row.body === "string" ? row.body : JSON.stringify(row.body);
  return new Response(body, { status: row.status, headers: row.headers });
}

/** An answer in JSON. */
export function json(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}

/** The error in an answer. */
export async function errorOf(response: Response): Promise<{ message: string; code: string }> {
  return (await response.json()).error;
}

/** OpenCode 1.18 tries again when it meets any of these in a body. */
export const RETRIED =
  /429|500|502|503|504|524|rate limit|overloaded|connection|timed out|try again/i;

/** A request as OpenCode sends it. */
export function turn(session: string, body: Record<string, unknown> = {}): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json", originator: "opencode", "session-id": session },
    body: JSON.stringify({ model: "gpt-5.5", input: [], store: false, stream: true, ...body }),
  };
}

/** The address that OpenCode asks. */
export const RESPONSES = "https://api.openai.com/v1/responses";

/** A failover fetch in front of a scripted backend, on a virtual clock. */
export class Failover {
  readonly clock: VirtualClock;
  readonly store: MemoryStore;
  readonly pool: Pool;
  readonly fetch: CodexFetch;
  /** What `fetch` was made of, for another one in front of the same backend. */
  readonly journey: JourneyOptions;
  readonly seen: Seen[] = [];
  readonly refreshed: string[] = [];
  readonly asked: string[] = [];
  readonly events: PoolEvent[] = [];
  /** Replies by alias, taken from the front; the last one stays. */
  readonly script = new Map<string, Reply[]>();
  refreshAnswer: (account: Account) => RefreshResult | Promise<RefreshResult> = (account) => ({
    kind: "renewed",
    credentials: {
      accessToken: `${account.credentials.accessToken}+`,
      refreshToken: `${account.credentials.refreshToken}+`,
      expiresAt: Date.UTC(2100, 0),
    },
  });

  constructor(
    aliases: readonly string[] = ["a", "b", "c"],
    settings: Partial<Settings> = {},
    edit: (account: Account) => Account = (account) => account,
    before?: Failover,
  ) {
    const clock = this.clock = before?.clock ?? new VirtualClock();
    this.store = before?.store ??
      new MemoryStore(clock, aliases.map((alias) => edit(testAccount(alias))));
    const values = { ...STANDARD_SETTINGS, ...settings };
    this.pool = new Pool({
      store: this.store,
      clock,
      random: () => 0.5,
      settings: () => values,
    });
    const refresher = createRefresher({
      store: this.store,
      clock,
      random: () => 0.5,
      gapMs: () => 0,
      log: silentLog,
      exchange: (account) => {
        this.refreshed.push(account.alias);
        return Promise.resolve(this.refreshAnswer(account));
      },
    });
    const sender = createSender({
      fetch: (input, init) => this.#backend(String(input), init ?? {}),
      clock,
      limits: () => values,
      onWindows: (account, windows) => void this.pool.observe(account.id, windows),
    });
    this.journey = {
      pool: this.pool,
      store: this.store,
      sender,
      refresher,
      backend: "https://backend.test/backend-api",
      settings: () => values,
      clock,
      random: () => 0.5,
      log: silentLog,
      onEvent: (event) => this.events.push(event),
      askUsage: (account) => {
        this.asked.push(account.alias);
        return Promise.resolve();
      },
      setAside: async (account, reason) => {
        const marked = await this.store.edit(account.id, (now) => ({
          ...now,
          setAside: { at: clock.now(), reason },
        }));
        if (marked) this.pool.replace(marked);
      },
    };
    this.fetch = createCodexFetch(this.journey);
  }

  /** The same over the same store, as after a restart of the process. */
  restarted(): Failover {
    return new Failover([], {}, undefined, this);
  }

  /** What the backend does with this account's requests, one after the other; the last one stays. */
  on(alias: string, ...replies: Reply[]): this {
    this.script.set(alias, replies);
    return this;
  }

  /** Sends a request and lets time pass until it is answered. */
  async ask(
    init: RequestInit = turn("s"),
    input: string | URL | Request = RESPONSES,
  ): Promise<Response> {
    return await this.clock.passUntil(this.fetch(input, init));
  }

  /** Who was asked, in order. */
  get order(): string {
    return this.seen.map((one) => one.alias).join(" ");
  }

  /** The end of the account's own block, epoch milliseconds. */
  blockedUntil(alias: string, model = ""): number | undefined {
    return this.store.blocks.get(`account:id-${alias} ${model}`)?.until;
  }

  async #backend(url: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    const token = (headers.get("authorization") ?? "").replace(/^Bearer /, "");
    const alias = token.replace(/^access-/, "").replace(/\++$/, "");
    const body = typeof init.body === "string"
      ? init.body
      : new TextDecoder().decode(init.body as Uint8Array<ArrayBuffer>);
    this.seen.push({ alias, token, url, headers, body, rawBody: init.body, at: this.clock.now() });
    const replies = this.script.get(alias) ?? [];
    const reply = (replies.length > 1 ? replies.shift() : replies[0]) ?? stream("ok");
    init.signal?.throwIfAborted();
    if (reply instanceof Error) throw reply;
    if (typeof reply === "function") {
      return await reply({ signal: init.signal ?? new AbortController().signal, body, alias });
    }
    // Deno's copy of an answer lacks the headers that nobody has looked at.
    void reply.headers;
    return reply.clone();
  }
}
