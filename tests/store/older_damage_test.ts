import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { readHistory } from "./one_history.ts";
import { idOf, inFolder, testAccount, testCredentials } from "./store_folder.ts";

Deno.test("mixed-bad.json: two accounts work, the others are named and kept untouched", () =>
  inFolder(async (folder) => {
    folder.use("mixed-bad.json");
    const before = JSON.parse(folder.text()).accounts;
    const store = await folder.open();
    const snapshot = await store.load();
    assert.deepEqual(snapshot.accounts.map(({ alias }) => alias), ["good", "other alias inside"]);
    assert.equal(snapshot.activeId, null);
    const named = store.warnings.map((warning) => /^The account "([^"]*)"/.exec(warning)?.[1]);
    assert.deepEqual(named, ["no tokens", "wrong types", "list"]);
    await store.swapCredentials(idOf(snapshot, "good"), 0, testCredentials("good", 2));
    const after = JSON.parse(folder.text()).accounts;
    for (const alias of ["no tokens", "wrong types", "list"]) {
      assert.deepEqual(after[alias], before[alias]);
    }
    assert.equal(after.good.refreshToken, "refresh-good-2");
    assert.equal(after.good.usageCount, undefined, "carried over into state.db");
    assert.equal((await store.load()).accounts.length, 2);
  }));

Deno.test("not-json.json: refused, and left as it is", () =>
  inFolder(async (folder) => {
    folder.use("not-json.json");
    const text = folder.text();
    const store = await folder.open();
    await assert.rejects(store.load(), /accounts\.json is not JSON, or was cut short/);
    await assert.rejects(store.add(testAccount("a")), /not JSON/);
    assert.equal(folder.text(), text);
  }));

Deno.test("figures of the wrong type cost no account", () =>
  inFolder(async (folder) => {
    folder.use("v2.json");
    const json = JSON.parse(folder.text());
    Object.assign(json.accounts.personal, {
      usageCount: "many",
      lastUsed: null,
      rateLimits: [],
      rateLimitHistory: [null, 5, { at: "x" }, { at: 1, weekly: { remaining: "x" } }],
      rateLimitedUntil: "soon",
      modelUnsupportedUntil: {},
      authInvalid: "no",
    });
    Object.assign(json, { activeAlias: 42, forcedAlias: [], settings: 1, rotationStrategy: 2 });
    writeFileSync(folder.paths.accounts, JSON.stringify(json));
    const store = await folder.open();
    const snapshot = await store.load();
    assert.equal(snapshot.accounts.length, 5);
    assert.deepEqual(snapshot.figures.get(idOf(snapshot, "personal")), { uses: 0, windows: [] });
    assert.deepEqual([snapshot.pin, snapshot.activeId], [null, null]);
    await store.setPin(null);
    assert.deepEqual(await readHistory(store, idOf(snapshot, "personal")), []);
  }));
