import type { Child } from "hono/jsx";
import { cardId, type DashboardModel, type Page } from "../model.ts";
import { writeQuery } from "../query.ts";
import { areMany, renderCard, renderCards } from "./cards.tsx";
import { fill, Post } from "./form.tsx";
import { document } from "./frame.tsx";
import { Log, LogLines } from "./log.tsx";
import { AddAccount, Login } from "./login.tsx";
import { Move } from "./move.tsx";
import { Serving } from "./serving.tsx";
import { Settings } from "./settings.tsx";
import { Device, Notice, Summary, Warnings } from "./summary.tsx";
import { Filter, Queues, TagChoice } from "./toolbar.tsx";
import { Usage } from "./usage.tsx";

/** Where the cards go; text of a person has no bare `<` in it. */
const CARDS = '<div id="cards"></div>';

/** The whole document. */
export function renderPage(model: DashboardModel, page: Page): string {
  const html = document({
    title: "Accounts",
    page,
    children: (
      <>
        <header class="top">
          <p class="name">opencode-multi-auth</p>
          {model.locked === null && <Device model={model} />}
          <p id="live" role="status"></p>
        </header>
        <main id="main">
          <div role="status">
            <Notice notice={model.notice} />
          </div>
          <Warnings warnings={model.warnings} />
          {model.locked === null
            ? <Open model={model} page={page} />
            : <Locked why={model.locked} />}
        </main>
        <footer>
          <p>opencode-multi-auth {model.version}</p>
          <Post to="/sign-out">
            <button type="submit" class="quiet">Sign this browser out</button>
          </Post>
        </footer>
      </>
    ),
  });
  // A thousand cards are no child of the rest: they are kept as text.
  const whole = html.replace(CARDS, () => renderCards(model, page));
  return fill(whole, page.csrf, writeQuery(page.query));
}

/**
 * The parts of the page that change, by element id. Two renditions of what has not changed are the
 * same text, also later: moments stand as such in the HTML, and the script says how far away they
 * are. No part depends on the page's query.
 *
 * @param changed Ids of the accounts whose cards are wanted; undefined for all.
 */
export function renderParts(
  model: DashboardModel,
  page: Page,
  changed?: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  const add = (id: string, part: Child) => parts.set(id, fill(String(part), page.csrf, ""));
  add("notice", <Notice notice={model.notice} />);
  add("warnings", <Warnings warnings={model.warnings} />);
  if (model.locked !== null) {
    add("open", <Locked why={model.locked} />);
    return parts;
  }
  add("device", <Device model={model} />);
  add("summary", <Summary model={model} />);
  add("login", <Login login={model.login} />);
  add("queues", <Queues limits={model.queue} tokens={model.tokens} />);
  add("tag-choice", <TagChoice accounts={model.accounts} tag="" />);
  add("serving", <Serving model={model} />);
  add("usage", <Usage usage={model.usage} />);
  add("settings", <Settings model={model} />);
  add("move", <Move importing={model.importing} />);
  add("log-lines", <LogLines lines={model.log.lines} level={page.query.level} />);
  for (const account of model.accounts) {
    if (changed?.has(account.id) === false) continue;
    add(cardId(account.id), renderCard(account, model.now, areMany(model)));
  }
  return parts;
}

/** What somebody without a session sees: how to get in, and nothing else. */
export function renderSignIn(): string {
  return document({
    title: "Sign in",
    children: (
      <main id="main" class="alone">
        <h1>This page opens by a link</h1>
        <p>
          The program that serves it has printed one. A link works once; for a fresh one, run this
          on the machine where it runs, as the person who started it:
        </p>
        <p>
          <code class="command">opencode-multi-auth web --url</code>
        </p>
      </main>
    ),
  });
}

/** The page of a store that can be read. */
function Open({ model, page }: { readonly model: DashboardModel; readonly page: Page }) {
  const empty = model.accounts.length === 0;
  const shown = page.order.length === 0 ? "none" : areMany(model) ? "many" : "few";
  return (
    <div id="open">
      <Summary model={model} />
      <Login login={model.login} />
      <section aria-labelledby="accounts-title" class={empty ? "empty" : "accounts"}>
        <h2 id="accounts-title" class="vh">Accounts</h2>
        <div class="toolbar">
          <Filter accounts={model.accounts} page={page} />
          <Queues limits={model.queue} tokens={model.tokens} />
          <AddAccount open={empty} />
        </div>
        <p id="count" class="vh" role="status"></p>
        <div id="accounts" class={shown}>
          <div id="cards"></div>
        </div>
        <button type="button" id="all" hidden={page.order.length <= 100}>Show all</button>
        <p class="nothing">No account matches this search.</p>
        {empty && <FirstStep />}
      </section>
      <div class="columns">
        <Serving model={model} />
        <Usage usage={model.usage} />
      </div>
      <Settings model={model} />
      <Move importing={model.importing} />
      <Log log={model.log} level={page.query.level} />
    </div>
  );
}

/** Shown as long as there is no account. */
function FirstStep() {
  return (
    <div class="first">
      <p>
        Give your first ChatGPT plan a name above and sign in. Each further plan is added the same
        way; OpenCode then uses them as if they were one.
      </p>
      <p>
        Then, once, in a terminal: <code>opencode-multi-auth install</code>
      </p>
    </div>
  );
}

function Locked({ why }: { readonly why: string }) {
  return (
    <div id="open" class="alone">
      <h1>The accounts are locked</h1>
      <p>{why}</p>
      <Post to="/unlock" class="row">
        <label>
          Passphrase{" "}
          <input type="password" name="passphrase" required autocomplete="current-password" />
        </label>
        <button type="submit" class="primary">Unlock</button>
      </Post>
      <p>It is kept in this program's memory until it ends, and nowhere else.</p>
    </div>
  );
}
