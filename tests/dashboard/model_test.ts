/** The page as data: what an account is doing, what is left, what comes back, and in which order. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Account } from "../../src/account/account.ts";
import { buildModel, type Findings } from "../../src/dashboard/build_model.ts";
import { type AccountModel, SORTS } from "../../src/dashboard/model.ts";
import { arrange, readQuery, writeQuery } from "../../src/dashboard/query.ts";
import { sameValue } from "../../src/dashboard/same_value.ts";
import { type Block, NO_END } from "../../src/quota/block.ts";
import type { QuotaWindow } from "../../src/quota/window.ts";
import type { Snapshot } from "../../src/store/store.ts";
import { testAccount } from "../memory_store.ts";
import { FIXTURE_NOW as NOW } from "../virtual_clock.ts";

const HOUR = 3_600_000;

function found(
  accounts: readonly Account[],
  more: Partial<Snapshot> & { readonly now?: number } = {},
): Findings {
  const { now = NOW, ...snapshot } = more;
  return {
    now,
    snapshot: {
      accounts,
      figures: new Map(),
      blocks: [],
      pin: null,
      activeId: null,
      turnId: null,
      locked: false,
      ...snapshot,
    },
    locked: null,
    warnings: [],
    histories: new Map(),
    choices: [],
    sessions: new Map(),
    usage: [],
    settings: [],
    device: {
      path: "/auth.json",
      credentialStore: "file",
      content: { kind: "absent" },
      changedAt: null,
    },
    limits: { running: false, done: 0, total: 0, stopped: false, tasks: [] },
    tokens: { running: false, done: 0, total: 0, stopped: false, tasks: new Map() },
    extras: new Map(),
    login: null,
    log: { path: "/log", lines: [] },
  };
}

const window = (
  minutes: number,
  usedPercent: number,
  resetsAt: number | null = NOW + HOUR,
): QuotaWindow => ({
  bucket: "codex",
  minutes,
  usedPercent,
  resetsAt,
  observedAt: NOW - 60_000,
});

const figures = (...windows: QuotaWindow[]) => ({ uses: 1, windows });

const block = (alias: string, until: number, model = ""): Block => ({
  subject: `account:id-${alias}`,
  model,
  reason: "usage limit",
  until,
  source: "body",
  since: NOW,
});

const model = (findings: Findings) => buildModel(findings, undefined, true);

Deno.test("what an account is doing: the person's word, then what needs the person, then what passes", () => {
  const setAside = (reason: "needs login" | "workspace deactivated") => ({
    setAside: { at: 0, reason },
  });
  const { accounts, pool } = model(found([
    testAccount("free"),
    testAccount("off", {
      enabled: false,
      disabled: { at: 0, reason: "holiday" },
      ...setAside("needs login"),
    }),
    testAccount("out", setAside("needs login")),
    testAccount("gone", setAside("workspace deactivated")),
    testAccount("full"),
    testAccount("unsure"),
    testAccount("partly"),
  ], {
    blocks: [
      block("full", NOW + HOUR),
      block("unsure", NO_END),
      block("partly", NOW + HOUR, "gpt-5.5"),
      block("out", NOW + HOUR),
      block("free", NOW),
    ],
  }));
  assert.deepEqual(
    accounts.map(({ state, reason, blockedUntil }) => [state, reason, blockedUntil]),
    [
      ["available", null, null],
      ["disabled", "holiday", null],
      ["needs login", "needs login", null],
      ["set aside", "workspace deactivated", null],
      ["blocked", "usage limit", NOW + HOUR],
      ["blocked", "usage limit", null],
      ["available", null, null],
    ],
  );
  assert.deepEqual(accounts[6]?.blockedModels, [{
    model: "gpt-5.5",
    reason: "usage limit",
    until: NOW + HOUR,
  }]);
  assert.deepEqual([pool.available, pool.total], [2, 7]);
  assert.deepEqual(pool.nextBack, { alias: "full", at: NOW + HOUR });
});

Deno.test("a block of a workspace holds back all its members", () => {
  const identity = { workspaceId: "ws", userId: "u" };
  const { accounts } = model(
    found([testAccount("a", { identity }), testAccount("b", { identity }), testAccount("c")], {
      blocks: [{ ...block("x", NOW + HOUR), subject: "workspace:ws" }],
    }),
  );
  assert.deepEqual(accounts.map(({ state }) => state), ["blocked", "blocked", "available"]);
});

Deno.test("what is left now: of available accounts, in each window, and full again after its reset", () => {
  const { pool, accounts } = model(found(["a", "b", "c"].map((alias) => testAccount(alias)), {
    figures: new Map([
      ["id-a", figures(window(300, 40), window(10_080, 90))],
      ["id-b", figures(window(300, 100, NOW - 1), window(10_080, 10, NOW + 5 * 24 * HOUR))],
      ["id-c", figures(window(300, 100), window(10_080, 20))],
    ]),
    blocks: [block("c", NOW + HOUR)],
  }));
  assert.deepEqual(pool.left, [{ minutes: 300, percent: 80 }, { minutes: 10_080, percent: 50 }]);
  const [after] = accounts[1]?.windows ?? [];
  assert.deepEqual([after?.usedPercent, after?.elapsedPercent, after?.resetsAt], [
    0,
    null,
    NOW - 1,
  ]);
  // An hour of five is left.
  assert.equal(accounts[0]?.windows[0]?.elapsedPercent, 80);
});

Deno.test("windows stand in their order: the plan's shortest first, then those of models", () => {
  const { accounts } = model(found([testAccount("a")], {
    figures: new Map([[
      "id-a",
      figures({ ...window(60, 1), bucket: "codex_bengalfox" }, window(10_080, 2), window(300, 3)),
    ]]),
  }));
  assert.deepEqual(accounts[0]?.windows.map(({ usedPercent }) => usedPercent), [3, 2, 1]);
});

Deno.test("recommended is what would expire soonest, never an account that cannot serve, and nothing where none can", () => {
  const accounts = ["a", "b", "c"].map((alias) => testAccount(alias));
  const some = new Map([
    ["id-a", figures(window(300, 50, NOW + 4 * HOUR))],
    ["id-b", figures(window(300, 50, NOW + HOUR))],
    ["id-c", figures(window(300, 0, NOW + 60_000))],
  ]);
  const blocks = [block("c", NOW + HOUR)];
  const { recommended, accounts: models } = model(found(accounts, { figures: some, blocks }));
  assert.equal(recommended?.alias, "b");
  assert.match(recommended?.reason ?? "", /50%/);
  assert.deepEqual(models.map((one) => one.recommended), [false, true, false]);
  assert.equal(model(found([testAccount("a", { enabled: false })])).recommended, null);
});

Deno.test("a pin counts until it ends, and an account that is gone leaves no name behind", () => {
  const accounts = [testAccount("a")];
  assert.deepEqual(model(found(accounts, { pin: { accountId: "id-a", until: NOW + 1 } })).pin, {
    alias: "a",
    until: NOW + 1,
  });
  assert.equal(model(found(accounts, { pin: { accountId: "id-a", until: NOW } })).pin, null);
  const gone = {
    ...found(accounts),
    choices: [{
      at: 1,
      accountId: "id-x",
      reason: "next in turn",
      leftId: "id-a",
      why: "usage limit",
    }],
  };
  assert.deepEqual(model(gone).choices.map(({ alias, left }) => [alias, left]), [[
    "(removed)",
    "a (usage limit)",
  ]]);
});

Deno.test("an account that has not changed keeps its object; what only time has changed waits", () => {
  const accounts = ["a", "b"].map((alias) => testAccount(alias));
  const some = new Map([["id-a", figures(window(300, 40))]]);
  const first = model(found(accounts, { figures: some }));
  const later = found(accounts, { figures: some, now: NOW + HOUR / 2 });
  const soon = buildModel(later, first, false);
  assert.equal(soon.accounts[0], first.accounts[0]);
  const timely = buildModel(later, first, true);
  assert.notEqual(timely.accounts[0], first.accounts[0]);
  assert.equal(timely.accounts[1], first.accounts[1]);
  const changed = buildModel(
    found([testAccount("a", { notes: "x" }), testAccount("b")], { figures: some }),
    first,
    false,
  );
  assert.deepEqual([
    changed.accounts[0] === first.accounts[0],
    changed.accounts[1] === first.accounts[1],
  ], [false, true]);
});

Deno.test("no token is in the model, whatever the account holds", () => {
  const text = JSON.stringify(model(found([testAccount("a")])));
  assert.doesNotMatch(text, /access-a|refresh-a|credentials/);
});

// Search, filter and sort

const shown = (accounts: readonly AccountModel[], address: string) =>
  arrange(accounts, readQuery(new URLSearchParams(address))).map(({ alias }) => alias);

Deno.test("search looks into alias, email, tags and notes; every word must be there", () => {
  const { accounts } = model(found([
    testAccount("alpha", { tags: ["eu"], notes: "Team plan" }),
    testAccount("beta", { tags: ["us"], notes: "spare" }),
  ]));
  for (
    const [address, expected] of [
      ["q=ALPH", ["alpha"]],
      ["q=example.test", ["alpha", "beta"]],
      ["q=eu team", ["alpha"]],
      ["q=eu spare", []],
      ["tag=us", ["beta"]],
      ["tag=u", []],
      ["state=blocked", []],
      ["state=nonsense&sort=nonsense&level=nonsense", ["alpha", "beta"]],
    ] as const
  ) assert.deepEqual(shown(accounts, address), expected, address);
});

Deno.test("sorts put first what a person looks for", () => {
  const { accounts } = model(found([
    testAccount("ten", { credentials: { accessToken: "", refreshToken: "", expiresAt: 3 } }),
    testAccount("b2", { credentials: { accessToken: "", refreshToken: "", expiresAt: 1 } }),
    testAccount("b10", {
      credentials: { accessToken: "", refreshToken: "", expiresAt: 2 },
      enabled: false,
    }),
  ], {
    figures: new Map([
      ["id-ten", { uses: 5, windows: [window(300, 90), window(10_080, 10)] }],
      ["id-b2", { uses: 9, windows: [window(300, 20), window(10_080, 50)] }],
    ]),
  }));
  const by = (sort: string) => shown(accounts, `sort=${sort}`).join(" ");
  assert.equal(by("short window"), "b2 ten b10");
  assert.equal(by("long window"), "ten b2 b10");
  assert.equal(by("expiry"), "b2 b10 ten");
  assert.equal(by("alias"), "b2 b10 ten");
  assert.equal(by("uses"), "b2 ten b10");
  assert.equal(by("recommended"), "b2 ten b10");
});

Deno.test("a query survives its way through an address", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.constantFrom(...SORTS), (search, tag, sort) => {
      const query = readQuery(
        new URLSearchParams({ q: search, tag, sort, state: "blocked", level: "warn" }),
      );
      assert.deepEqual(readQuery(new URLSearchParams(writeQuery(query))), query);
    }),
  );
});

Deno.test("two values are the same exactly when their JSON is, but for what does not count", () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  fc.assert(fc.property(value, value, (a, b) => {
    assert.equal(sameValue(a, JSON.parse(JSON.stringify(a))), true);
    if (sameValue(a, b)) assert.deepEqual(a, b);
  }));
  assert.equal(sameValue({ a: 1, t: [{ x: 1 }] }, { a: 1, t: [{ x: 2 }] }, ["x"]), true);
  assert.equal(sameValue({ a: 1 }, { b: 1 }), false);
});
