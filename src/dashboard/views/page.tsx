import type { Child } from "hono/jsx";
import type { AccountModel, DashboardModel, Listing, Page, Query } from "../model.ts";
import { writeQuery } from "../query.ts";
import { Account } from "./account.tsx";
import { fill, Post } from "./form.tsx";
import { document } from "./frame.tsx";
import { Log } from "./log.tsx";
import { AddAccount, Login } from "./login.tsx";
import { Move } from "./move.tsx";
import { Serving } from "./serving.tsx";
import { Settings } from "./settings.tsx";
import { Device, Notice, Summary, Warnings } from "./summary.tsx";
import { Filter, Pages, Queues, TagChoice } from "./toolbar.tsx";
import { Usage } from "./usage.tsx";

/** The whole document. */
export function renderPage(model: DashboardModel, page: Page): string {
  const html = document({
    title: "Accounts",
    script: true,
    children: (
      <>
        <header class="top">
          <p class="name">opencode-multi-auth</p>
          {model.locked === null && <Device model={model} />}
          <p id="live" role="status"></p>
        </header>
        <main id="main" data-events={page.events}>
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
  return fill(html, page.csrf, writeQuery(page.query));
}

/**
 * The parts that change and that all pages have in common, by element id, as {@linkcode fill} takes
 * them. Two renditions of what has not changed are the same text, also later: moments stand as such in
 * the HTML, and the script says how far away they are.
 */
export function sharedParts(model: DashboardModel): ReadonlyMap<string, string> {
  const parts: Record<string, Child> = model.locked === null
    ? {
      warnings: <Warnings warnings={model.warnings} />,
      device: <Device model={model} />,
      summary: <Summary model={model} />,
      login: <Login login={model.login} />,
      queues: <Queues limits={model.queue} tokens={model.tokens} />,
      serving: <Serving model={model} />,
      usage: <Usage usage={model.usage} />,
      settings: <Settings model={model} />,
    }
    : {
      warnings: <Warnings warnings={model.warnings} />,
      open: <Locked why={model.locked} />,
    };
  return rendered(parts);
}

/** The parts that change and that each page has for itself, in the same way. */
export function ownParts(
  model: DashboardModel,
  query: Query,
  listing: Listing,
): ReadonlyMap<string, string> {
  if (model.locked !== null) return new Map();
  return rendered({
    "tag-choice": <TagChoice accounts={model.accounts} tag={query.tag} />,
    pages: <Pages listing={listing} query={query} />,
    move: <Move importing={model.importing} />,
  });
}

/** One card, in the same way. */
export function renderCard(account: AccountModel, now: number): string {
  return String(<Account account={account} now={now} />);
}

function rendered(parts: Readonly<Record<string, Child>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(parts).map(([id, part]) => [id, String(part)]));
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
  return (
    <div id="open">
      <Summary model={model} />
      <Login login={model.login} />
      <section id="list" aria-labelledby="accounts-title" class={empty ? "empty" : "accounts"}>
        <h2 id="accounts-title" class="vh">Accounts</h2>
        <div class="toolbar">
          <Filter accounts={model.accounts} page={page} />
          <Queues limits={model.queue} tokens={model.tokens} />
          <AddAccount open={empty} />
        </div>
        <div id="accounts">
          {page.listing.accounts.map((account) => <Account account={account} now={model.now} />)}
        </div>
        <Pages listing={page.listing} query={page.query} />
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
