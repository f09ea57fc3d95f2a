/** One account's card: what it says, and what it offers. */
import assert from "node:assert/strict";
import { renderCard } from "../../src/dashboard/views/page.tsx";
import { trend } from "../../src/dashboard/views/window.tsx";
import { account, NOW, window, words } from "./model_fixture.ts";

const card = (more: Parameters<typeof account>[1], alias = "x") =>
  renderCard(account(alias, more), NOW);
Deno.test("shares are whole percents of what is left", () => {
  const html = card({ windows: [window(300, 33.4, 3_600_000), window(10_080, 0.4, 86_400_000)] });
  assert.deepEqual(words(html).match(/\d+% left/g), ["33% left", "0% left"]);
  assert.doesNotMatch(words(html), /\d\.\d+ ?%/);
});

Deno.test("a window whose reset has passed is whole again", () => {
  const html = card({ windows: [window(300, 20, -60_000, { projection: "runs out" })] });
  assert.match(words(html), /100% left was reset 5:59 PM/);
  assert.doesNotMatch(html, /runs out|using/);
});

Deno.test("bar and line have their meaning in words", () => {
  const html = card({ windows: [window(300, 70, 2 * 3_600_000)] });
  assert.match(html, /<title>An even pace would leave 40% now<\/title>/);
  assert.match(html, /<title>Left over time: 100% to 70%, lowest 70%<\/title>/);
  for (const [svg] of html.matchAll(/<svg[^>]*>(?:(?!<\/svg>).)*/g)) {
    assert.match(svg, /aria-hidden="true"|role="img".*<title>/);
  }
});

Deno.test("a line needs at least two points", () => {
  const history = [{ at: NOW, usedPercent: 30 }];
  assert.doesNotMatch(card({ windows: [{ ...window(300, 70, 60_000), history }] }), /spark/);
});

Deno.test("a trend is a whole number, or nothing", () => {
  assert.equal(trend(4.4), "using 4%/h");
  assert.equal(trend(0.25), "using 6%/day");
  assert.equal(trend(0.01), null);
  assert.equal(trend(-3), null);
  assert.equal(trend(null), null);
});

Deno.test("each state has its words", () => {
  const state = (more: Parameters<typeof account>[1]) =>
    words(/<span class="state">(.*?)<\/span>/.exec(card(more))?.[1] ?? "");
  assert.equal(state({}), "available");
  assert.equal(
    state({ state: "blocked", reason: "usage limit", blockedUntil: NOW + 60_000 }),
    "blocked: usage limit, back 6:01 PM ",
  );
  assert.equal(state({ state: "blocked", reason: "usage limit" }), "blocked: usage limit");
  assert.equal(state({ state: "needs login", reason: "needs login" }), "needs login");
  assert.equal(state({ state: "disabled", reason: "on holiday" }), "disabled: on holiday");
});

Deno.test("the account in use says so, every other one offers it", () => {
  const buttons = (onDevice: boolean) =>
    card({ onDevice }).match(/<button[^>]*>(Use on device|On device)<\/button>/g);
  assert.deepEqual(buttons(true), [
    '<button type="submit" class="current" disabled="">On device</button>',
  ]);
  assert.deepEqual(buttons(false), ['<button type="submit">Use on device</button>']);
  assert.match(card({}, "work"), /data-account="work"/);
});

Deno.test("an account that is signed out is not offered to the Codex CLI", () => {
  for (const state of ["needs login", "set aside"] as const) {
    assert.doesNotMatch(card({ state }), /Use on device/);
  }
  assert.match(card({ state: "blocked" }), /Use on device/);
});
