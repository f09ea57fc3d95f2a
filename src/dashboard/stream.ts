/**
 * The stream of a page, `text/event-stream`. Its events:
 *
 * - `parts`: a JSON object of element id and HTML. Each replaces the element of that id; a card
 *   (`account-…`) that is not there yet goes to the end of the element `accounts`.
 * - `order`: a JSON list of card ids: these are shown in this order; every other card is hidden.
 * - `gone`: a JSON list of card ids that are to be taken out.
 * - `append`: a JSON object `{"id", "html"}`: goes to the end of that element (`log-lines`).
 * - `at`: nothing to do; its `id` says that all up to there was sent.
 * - `reload`: the page has another shape now (the store was locked or opened); it is to be loaded anew.
 * - `bye`: the session or the program has ended; the page is to say so and to be reloaded.
 *
 * The script opens it at the address that the page names (`Page.events`). When search, filter or sort
 * change it opens it anew with its own query (`/events?q=…&tag=…&state=…&sort=…&level=…`) and the
 * `since` of the newest event's `id`; an `order` comes first then.
 *
 * A page that nobody looks at is to close its stream, and to open it with its `since` when it is seen
 * again: browsers give all pages of one origin six connections together.
 *
 * @module
 */
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { GuardedEnv } from "./guard.ts";
import type { Live } from "./live.ts";
import { cardId, type DashboardModel, type Page } from "./model.ts";
import { arrange, readQuery } from "./query.ts";
import type { Session } from "./session.ts";
import { renderLogLines } from "./views/log.tsx";
import { renderParts } from "./views/page.tsx";

/** Streams at once. */
const MAX_STREAMS = 64;
/** Pause after which a silent stream says that it lives, in milliseconds. */
const BEAT_MS = 20_000;
/** When a browser whose stream broke tries again, in milliseconds. */
const RETRY_MS = 2_000;

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
        const send = async (event: string, data: unknown, id?: string) => {
          if (closed.signal.aborted) return;
          await stream.writeSSE({
            event,
            data: JSON.stringify(data),
            ...(id === undefined ? {} : { id }),
          });
        };
        try {
          await stream.write(`retry: ${RETRY_MS}\n\n`);
          await this.#follow({
            session,
            query,
            since,
            ended,
            send,
            beat: () => stream.write(":\n\n"),
          });
          await send("bye", null);
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

  async #follow({ session, query, since, ended, send, beat }: {
    readonly session: Session;
    readonly query: Page["query"];
    readonly since: string;
    readonly ended: AbortSignal;
    readonly send: (event: string, data: unknown, id?: string) => Promise<void>;
    readonly beat: () => Promise<unknown>;
  }): Promise<void> {
    const { live, pause, touch } = this.options;
    const page: Page = { csrf: session.csrf, query, order: [], events: "" };
    let at = since;
    // Not empty: a search may have found nothing, and that is to be said.
    let order: string | undefined;
    let importing = session.importing?.model;
    await live.fresh();
    while (!ended.aborted) {
      const news = live.since(at, session.csrf);
      if (news.reload) return await send("reload", null, news.position);
      const parts = { ...news.parts };
      if (session.importing?.model !== importing) {
        importing = session.importing?.model;
        parts["move"] = movePart({ ...live.model, importing: importing ?? null }, page);
      }
      if (Object.keys(parts).length > 0) await send("parts", parts);
      if (news.gone.length > 0) await send("gone", news.gone);
      const cards = arrange(live.model.accounts, query).map(({ id }) => cardId(id));
      if (cards.join() !== order) {
        order = cards.join();
        await send("order", cards);
      }
      const lines = renderLogLines(news.lines);
      if (lines !== "") await send("append", { id: "log-lines", html: lines });
      if (news.position !== at) await send("at", null, news.position);
      at = news.position;
      const waited = new AbortController();
      const until = AbortSignal.any([ended, waited.signal]);
      await Promise.race([live.next(at, until), pause(BEAT_MS, until).catch(() => {})]);
      waited.abort();
      if (ended.aborted || !touch(session)) return;
      if (live.position === at) await beat();
    }
  }
}

function movePart(model: DashboardModel, page: Page): string {
  return renderParts(model, page, new Set()).get("move") ?? "";
}
