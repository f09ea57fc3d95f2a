/**
 * The stream of a page, `text/event-stream`. Its events:
 *
 * - without a name: a JSON object {@linkcode Change}; its `id` says that all up to there was sent.
 * - `reload`: the page is too old, or has another shape now (the store was locked or opened); it is to
 *   be fetched anew.
 * - `bye`: the session or the program has ended; the page is to say so.
 *
 * The page names the address (`Page.events`): its own query, and where it stands. A page that nobody
 * looks at is to close its stream, and to be fetched anew when it is seen again: browsers give all
 * pages of one origin six connections together.
 *
 * @module
 */
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { GuardedEnv } from "./guard.ts";
import type { Live, News } from "./live.ts";
import { cardId, type Page } from "./model.ts";
import { list, readQuery, writeQuery } from "./query.ts";
import type { Session } from "./session.ts";
import { fill } from "./views/form.tsx";
import { renderLogLines } from "./views/log.tsx";
import { ownParts, renderCard } from "./views/page.tsx";

/** Streams at once. */
const MAX_STREAMS = 64;
/** Pause after which a silent stream says that it lives, in milliseconds. */
const BEAT_MS = 20_000;
/** When a browser whose stream broke tries again, in milliseconds. */
const RETRY_MS = 2_000;

/** What has changed on a page. What has not is not named. */
export interface Change {
  /** HTML by element id: it takes the place of that element, or is a card that was not there. */
  readonly parts?: Readonly<Record<string, string>>;
  /** Element ids of the cards that are shown, in their order. */
  readonly order?: readonly string[];
  /** HTML that comes to the end of the log. */
  readonly log?: string;
}

/** All streams of one dashboard. */
export class Streams {
  #open = 0;

  /** @param options.touch Says that a session is in use; false when it has ended. */
  constructor(
    private readonly options: {
      readonly live: Live;
      readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
      readonly touch: (session: Session) => boolean;
    },
  ) {}

  /** Answers a request for one. */
  answer(context: Context<GuardedEnv>): Response {
    if (this.#open >= MAX_STREAMS) {
      return context.text("Too many pages are open. Close some.", 503);
    }
    const session = context.get("session");
    const query = readQuery(new URL(context.req.url).searchParams);
    const since = context.req.header("last-event-id") ?? context.req.query("since") ?? "";
    this.#open++;
    const response = streamSSE(
      context,
      async (stream) => {
        const closed = new AbortController();
        stream.onAbort(() => closed.abort());
        const ended = AbortSignal.any([
          closed.signal,
          session.ended.signal,
          this.options.live.ended,
        ]);
        const send = async (message: { event?: string; data: string; id?: string }) => {
          if (!closed.signal.aborted) await stream.writeSSE(message);
        };
        try {
          await stream.write(`retry: ${RETRY_MS}\n\n`);
          const end = await this.#follow({
            session,
            query,
            since,
            ended,
            send,
            beat: () => stream.write(":\n\n"),
          });
          await send({ event: end, data: "" });
        } finally {
          this.#open--;
        }
      },
      // A client that has left; nothing is to be said to anybody.
      () => Promise.resolve(),
    );
    response.headers.set("cache-control", "no-store");
    return response;
  }

  /** Sends what changes. @returns the event to end with. */
  async #follow({ session, query, since, ended, send, beat }: {
    readonly session: Session;
    readonly query: Page["query"];
    readonly since: string;
    readonly ended: AbortSignal;
    readonly send: (message: { event?: string; data: string; id?: string }) => Promise<void>;
    readonly beat: () => Promise<unknown>;
  }): Promise<"reload" | "bye"> {
    const { live, pause, touch } = this.options;
    let at = since;
    let importing = session.importing?.model ?? null;
    await live.fresh();
    while (!ended.aborted) {
      const news = live.since(at);
      if (news === undefined) return "reload";
      const now = session.importing?.model ?? null;
      const change = changeOf(
        { ...news, before: { ...news.before, importing } },
        { ...live.model, importing: now },
        query,
        session.csrf,
      );
      importing = now;
      if (Object.keys(change).length > 0) {
        await send({ data: JSON.stringify(change), id: news.position });
      }
      at = news.position;
      const waited = new AbortController();
      const until = AbortSignal.any([ended, waited.signal]);
      await Promise.race([live.next(at, until), pause(BEAT_MS, until).catch(() => {})]);
      waited.abort();
      if (ended.aborted || !touch(session)) break;
      if (live.position === at) await beat();
    }
    return "bye";
  }
}

/** What a page is to be sent that shows a model, so that it shows another. */
function changeOf(
  { before, parts: shared, lines }: News,
  model: News["before"],
  query: Page["query"],
  csrf: string,
): Change {
  const had = list(before.accounts, query);
  const has = list(model.accounts, query);
  const parts = new Map(shared);
  const own = ownParts(before, query, had);
  for (const [id, html] of ownParts(model, query, has)) {
    if (own.get(id) !== html) parts.set(id, html);
  }
  const shown = new Map(had.accounts.map((account) => [account.id, account]));
  // A card that moves to another page of the list may still be open on this one: it gets its news too.
  const left = model.accounts.filter(({ id }) =>
    shown.has(id) && !has.accounts.some((a) => a.id === id)
  );
  for (const account of [...has.accounts, ...left]) {
    if (shown.get(account.id) === account) continue;
    parts.set(cardId(account.id), renderCard(account, model.now));
  }
  const order = has.accounts.map(({ id }) => cardId(id));
  const back = writeQuery(query);
  return {
    ...(parts.size === 0 ? {} : {
      parts: Object.fromEntries([...parts].map(([id, html]) => [id, fill(html, csrf, back)])),
    }),
    ...(order.join() === had.accounts.map(({ id }) => cardId(id)).join() ? {} : { order }),
    ...(lines.length === 0 ? {} : { log: renderLogLines(lines) }),
  };
}
