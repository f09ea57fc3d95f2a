/** The dashboard's HTML: what it says, what it escapes, and that it works without script. */
import assert from "node:assert/strict";
import { cardId, type DashboardModel, type Page } from "../../src/dashboard/model.ts";
import { SCRIPT, STYLE } from "../../src/dashboard/views/assets.ts";
import { renderLogLines } from "../../src/dashboard/views/log.tsx";
import {
  ownParts,
  renderCard,
  renderPage,
  renderSignIn,
  sharedParts,
} from "../../src/dashboard/views/page.tsx";
import { account, model, NOW, page, window, words } from "./model_fixture.ts";

const whole = (more: Partial<DashboardModel> = {}, look: Partial<Page> = {}) => {
  const shown = model(more);
  return renderPage(shown, page(shown, look));
};
/** All that the stream may send of a model. */
const parts = (shown: DashboardModel) => {
  const { query, listing } = page(shown);
  return new Map([
    ...sharedParts(shown),
    ...ownParts(shown, query, listing),
    ...shown.accounts.map((one) => [cardId(one.id), renderCard(one, shown.now)] as const),
  ]);
};
/** What a page asks for that asks for nothing. */
const QUERY = page(model()).query;

/** Alias, notes, tags and log lines as an attacker would have them. */
const HOSTILE = [
  `<script>alert(1)</script>`,
  `"><img src=x onerror=alert(1)>`,
  `' onfocus='alert(1)' autofocus='`,
  `</textarea><svg onload=alert(1)>`,
  `</noscript><iframe srcdoc="x">`,
  `<input type="hidden" name="csrf" value=""/>`,
  `<div id="cards"></div>`,
  `$& $1 $\` &lt;b&gt;`,
];

for (const text of HOSTILE) {
  Deno.test(`HTML in alias, notes, tags and log lines stays text: ${text}`, () => {
    const innocent = "harmless";
    const render = (said: string) =>
      whole({
        accounts: [account(said, {
          id: "id",
          email: said,
          plan: said,
          workspace: said,
          reason: said,
          state: "blocked",
          tags: [said],
          notes: said,
          windows: [window(300, 50, 3_600_000, { projection: said }), {
            ...window(300, 50, null),
            bucket: said,
          }],
          blockedModels: [{ model: said, reason: said, until: null }],
          limitTask: {
            accountId: "id",
            source: "auto",
            state: "error",
            queuedAt: 0,
            error: said,
          },
        })],
        warnings: [said],
        recommended: { alias: said, reason: said },
        device: { alias: said, text: said, path: said },
        pin: { alias: said, until: null },
        choices: [{ at: NOW, session: said, alias: said, reason: said, left: said }],
        login: {
          alias: said,
          way: "device",
          state: "waiting",
          url: "https://auth.example/",
          userCode: said,
          message: said,
        },
        settings: [{ name: said, value: said, about: said, choices: null, fixedBy: said }],
        log: { path: said, lines: [{ at: NOW, level: "info", text: said }] },
        importing: {
          id: said,
          file: said,
          kind: said,
          rows: [{ alias: said, email: said, action: "add", why: said }],
        },
        notice: { kind: "failed", text: said },
      });
    // The same elements as with a harmless text, in the same order, with the same attributes.
    const skeleton = (html: string) =>
      [...html.matchAll(/<\/?[a-z][^>]*>/g)].map(([tag]) => tag.replace(/="[^"]*"/g, ""));
    assert.deepEqual(skeleton(render(text)), skeleton(render(innocent)));
    assert.ok(!render(text).includes(text) || !/[<"]/.test(text));
    const line = renderLogLines([{ at: null, level: "warn", text }]);
    assert.equal(line.match(/<[a-z]+/g)?.join(), "<li,<b");
  });
}

Deno.test("what can be used now is said first", () => {
  const html = whole();
  assert.match(html, /<h1 id="answer">2 of 5 accounts are ready<\/h1>/);
  assert.match(words(html), /Next back: personal , 6:42 PM/);
  assert.match(words(html), /5 hours 65% left Week 52% left/);
  assert.match(words(html), /Best now: backup most left in both windows/);
});

for (
  const [available, total, said] of [
    [0, 0, "No account yet"],
    [1, 1, "Your account is ready"],
    [3, 3, "All 3 accounts are ready"],
    [1, 3, "1 of 3 accounts is ready"],
    [0, 3, "No account can be used now"],
  ] as const
) {
  Deno.test(`${available} of ${total}: ${said}`, () => {
    const html = whole({ pool: { available, total, left: [], nextBack: null } });
    assert.match(html, new RegExp(`<h1 id="answer">${said}</h1>`));
  });
}

Deno.test("everything that changes something is a form with the visitor's token", () => {
  const html = whole({
    login: {
      alias: "new",
      way: "paste",
      state: "waiting",
      url: "https://auth.example/",
      userCode: null,
      message: null,
    },
    queue: { running: true, done: 1, total: 2, stopped: false },
    tokens: { running: true, done: 1, total: 2, stopped: false },
    pin: { alias: "work", until: null },
  });
  const forms = [...html.matchAll(/<form[^>]*>.*?<\/form>/gs)].map(([form]) => form);
  const posts = forms.filter((form) => form.includes('method="post"'));
  assert.equal(forms.length - posts.length, 1, "the search alone is a GET");
  for (const form of posts) {
    assert.match(form, /<input type="hidden" name="csrf" value="csrf-of-this-visitor"\/>/);
    assert.match(form, /action="\/[a-z]/);
    assert.match(form, /<button type="submit"/);
  }
  const actions = new Set(
    [...html.matchAll(/(?:form)?action="([^"]+)"/g)].map(([, to]) => to?.replace(/id-\w+/, "<id>")),
  );
  for (
    const action of [
      "device",
      "limits",
      "token",
      "disable",
      "pin",
      "rename",
      "describe",
      "remove",
      "sign-in",
    ]
  ) assert.ok(actions.has(`/accounts/<id>/${action}`), action);
  for (
    const action of [
      "/limits",
      "/limits/stop",
      "/tokens",
      "/tokens/stop",
      "/sync",
      "/unpin",
      "/logins",
      "/logins/paste",
      "/logins/cancel",
      "/settings",
      "/settings/reset",
      "/import",
      "/export",
      "/sign-out",
    ]
  ) assert.ok(actions.has(action), action);
  assert.doesNotMatch(html, / (?:on[a-z]+|style)=/, "nothing that the policy refuses");
  assert.doesNotMatch(html, /<script(?! src="\/page\.js")|<style/);
});

Deno.test("forms come back to the search they were sent from", () => {
  const html = whole({}, { query: { ...QUERY, search: "a&b", sort: "uses" } });
  assert.match(html, /name="back" value="\?q=a%26b&amp;sort=uses"/);
  assert.match(html, /<input type="search" name="q" value="a&amp;b"/);
  assert.match(html, /<option id="by-sort-uses" value="uses" selected="">/);
  assert.doesNotMatch(whole(), /name="back"/);
});

Deno.test("a page shows its part of the accounts, in its order, and the way to the others", () => {
  const accounts = [account("old"), account("work")];
  const html = (from: number, matching: number) =>
    whole({}, { query: { ...QUERY, sort: "uses", from }, listing: { accounts, from, matching } });
  const aliases = [...html(0, 2).matchAll(/ data-account="(\w+)"/g)].map(([, alias]) => alias);
  assert.deepEqual(aliases, ["old", "work"]);
  assert.doesNotMatch(html(0, 2), />Next<|>Previous</);
  assert.match(words(html(100, 1_000)), /Accounts 101 to 102 of 1000 Previous Next/);
  assert.match(html(100, 1_000), /href="\/\?sort=uses&amp;from=50">Previous/);
  assert.match(html(100, 1_000), /href="\/\?sort=uses&amp;from=102">Next/);
  assert.doesNotMatch(html(100, 102), />Next</);
  assert.match(
    words(whole({}, { listing: { accounts: [], from: 0, matching: 0 } })),
    /No account matches this search\./,
  );
});

Deno.test("a queue that runs has progress and Stop; one that was stopped says so", () => {
  const running = whole({ queue: { running: true, done: 2, total: 5, stopped: false } });
  assert.match(running, /<progress value="2" max="5">/);
  assert.match(running, /<button type="submit">Stop<\/button>/);
  const stopped = whole({ queue: { running: false, done: 2, total: 5, stopped: true } });
  assert.doesNotMatch(stopped, /<progress|>Stop</);
  assert.equal(words(stopped).match(/stopped/g)?.length, 1);
});

Deno.test("a locked store shows the reason, a passphrase form, and nothing of an account", () => {
  const html = whole({ locked: "accounts.json is sealed." });
  assert.match(words(html), /The accounts are locked accounts\.json is sealed\./);
  assert.match(html, /action="\/unlock"/);
  assert.doesNotMatch(html, /data-account|backup|example/);
  const shown = model({ locked: "sealed" });
  assert.deepEqual([...sharedParts(shown).keys()], ["warnings", "open"]);
  assert.equal(ownParts(shown, page(shown).query, page(shown).listing).size, 0);
});

Deno.test("somebody without a session learns how to get in and nothing else", () => {
  assert.match(renderSignIn(), /opencode-multi-auth web --url/);
  assert.doesNotMatch(renderSignIn(), /<form|<script|data-/);
});

Deno.test("every part is one element with its id, and the page has it", () => {
  const shown = model();
  const html = renderPage(shown, page(shown));
  for (const [id, part] of parts(shown)) {
    assert.match(part, new RegExp(`^<\\w+ id="${id}"`));
    assert.ok(html.includes(` id="${id}"`), id);
  }
});

Deno.test("a part says the same later, so that only what changes is sent", () => {
  const early = model();
  const later = { ...early, now: NOW + 90_000 };
  assert.deepEqual([...parts(later)], [...parts(early)]);
});

Deno.test("levels of the log are a matter of style, so that another one is there at once", () => {
  const html = whole({}, { query: { ...QUERY, level: "warn" } });
  assert.match(html, /<ol id="log-lines" class="from-warn"/);
  assert.match(html, /<li class="debug">/);
  assert.match(STYLE, /\.from-warn :is\(\.debug, \.info\)/);
});

Deno.test("style and script ask nobody else for anything", () => {
  assert.doesNotMatch(STYLE, /url\(|@import|https?:/);
  assert.doesNotMatch(SCRIPT, /https?:|eval\(|new Function/);
  assert.match(SCRIPT, /^\(function pageScript\(\)/);
});

Deno.test("tags and notes run in the direction of what is written", () => {
  assert.match(whole(), /<input name="tags" dir="auto"/);
  assert.match(whole(), /<textarea name="notes" dir="auto"/);
});

Deno.test("half a character, as a text that was cut short ends with, breaks no page", () => {
  const cut = "team \ud83d";
  assert.match(
    whole({ accounts: [account("work", { tags: [cut] })] }),
    /<option id="by-tag-team%20/,
  );
  assert.match(whole({}, { query: { ...QUERY, tag: cut } }), /<option id="by-tag-team%20/);
});
