import assert from "node:assert/strict";
import type { Store } from "../../src/store/store.ts";
import { testAccount } from "./store_folder.ts";
import { type ContractTest, quota } from "./contract_bed.ts";

/** The contract's part on what is counted and noted. */
export function testFigures(test: ContractTest): void {
  test("uses are added, the last use is the latest", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    await store.add(testAccount("a"));
    store.observe({ accountId: "id-a", uses: 2, usedAt: 200 });
    store.observe({ accountId: "id-a", uses: 1, usedAt: 100 });
    other.observe({ accountId: "id-a", uses: 3, usedAt: 50 });
    assert.equal(
      (await store.load()).figures.get("id-a")?.uses,
      3,
      "its own, before they are saved",
    );
    await store.flush();
    await other.flush();
    for (const one of [store, other]) {
      const figures = (await one.load()).figures.get("id-a");
      assert.deepEqual([figures?.uses, figures?.lastUsedAt], [6, 200]);
    }
  });

  test("newer evidence wins for each window", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    await store.add(testAccount("a"));
    const now = bed.clock.now();
    const fresh = quota({ usedPercent: 90, observedAt: now });
    const week = quota({ minutes: 10_080, usedPercent: 5, observedAt: now - 9 });
    const model = quota({ bucket: "codex_bengalfox", usedPercent: 7, observedAt: now - 9 });
    store.observe({ accountId: "id-a", windows: [fresh, week] });
    await store.flush();
    const stale = quota({ usedPercent: 10, observedAt: now - 1 });
    other.observe({ accountId: "id-a", windows: [stale, model] });
    await other.flush();
    const windows = (await store.load()).figures.get("id-a")?.windows;
    assert.deepEqual(windows, [fresh, week, model]);
  });

  test("an observation from the future gives way when the clock is right again", async (bed) => {
    const store = await bed.open();
    await store.add(testAccount("a"));
    const now = bed.clock.now();
    const wrong = quota({ usedPercent: 99, observedAt: now + 86_400_000 });
    const right = quota({ usedPercent: 1, observedAt: now });
    for (const window of [wrong, right]) {
      store.observe({ accountId: "id-a", windows: [window] });
      await store.flush();
    }
    assert.deepEqual((await store.load()).figures.get("id-a")?.windows, [right]);
  });

  test("figures are saved within a second of the first change, however many follow", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    await store.add(testAccount("a"));
    const before = (await other.load()).figures.get("id-a")?.uses ?? 0;
    assert.equal(before, 0);
    for (let at = 0; at < 10; at++) {
      store.observe({ accountId: "id-a", uses: 1 });
      store.setTurn({ activeId: "id-a" });
      await bed.clock.advance(100);
    }
    const { figures, activeId } = await other.load();
    assert.ok((figures.get("id-a")?.uses ?? 0) >= 7, "most of the ten are there after a second");
    assert.equal(activeId, "id-a");
  });

  test("tokens are added up by account, model and day, whoever counts them", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    for (const name of ["a", "b"]) await store.add(testAccount(name));
    const tokens = { model: "m", day: "2026-11-23", input: 9, cached: 7, output: 5, reasoning: 3 };
    store.observe({ accountId: "id-a", tokens });
    store.observe({ accountId: "id-a", tokens: { ...tokens, cached: 0 } });
    store.observe({ accountId: "id-a", tokens: { ...tokens, model: "n" } });
    store.observe({ accountId: "id-b", tokens: { ...tokens, day: "2026-11-24" } });
    other.observe({ accountId: "id-a", tokens });
    for (const one of [store, other, store]) await one.flush();
    const a = { accountId: "id-a", day: "2026-11-23" };
    assert.deepEqual(await bed.tokenUse(), [
      { ...a, model: "m", answers: 3, input: 27, cached: 14, output: 15, reasoning: 9 },
      { ...a, model: "n", answers: 1, input: 9, cached: 7, output: 5, reasoning: 3 },
      { ...tokens, accountId: "id-b", day: "2026-11-24", answers: 1 },
    ]);
  });

  test("tokens and choices are saved within a second", async (bed) => {
    const store = await bed.open();
    await store.add(testAccount("a"));
    const tokens = { model: "m", day: "2026-11-23", input: 1, cached: 0, output: 1, reasoning: 0 };
    store.observe({ accountId: "id-a", tokens });
    store.explain({ at: 1, session: "s", accountId: "id-a", reason: "next in turn" });
    await bed.clock.advance(1_000);
    assert.equal((await bed.tokenUse()).length, 1);
    assert.equal((await bed.choices()).length, 1);
  });

  test("choices come back whole and in order, whoever made them", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    for (const name of ["a", "b"]) await store.add(testAccount(name));
    const first = { at: 1, session: "s", accountId: "id-a", reason: "next in turn" };
    const move = { at: 2, session: "s", accountId: "id-b", reason: "pinned", leftId: "id-a" };
    const forced = { ...first, at: 3, leftId: "id-b", why: "usage limit", until: 4 };
    const nameless = { at: 4, accountId: "id-a", reason: "drawn at random" };
    for (const one of [first, forced]) store.explain(one);
    for (const one of [move, nameless]) other.explain({ ...one, why: undefined });
    await other.flush();
    await store.flush();
    assert.deepEqual(await bed.choices(), [first, move, forced, nameless]);
  });

  test("an account's tokens and choices go with it, those that wait to be saved too", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    for (const name of ["a", "b"]) await store.add(testAccount(name));
    await other.load();
    const note = (one: Store) => {
      for (const accountId of ["id-a", "id-b"]) {
        const sums = { input: 1, cached: 0, output: 1, reasoning: 0 };
        one.observe({ accountId, tokens: { ...sums, model: "m", day: "2026-11-23" } });
        one.explain({ at: 1, session: "s", accountId, reason: "next in turn" });
      }
    };
    note(store);
    await store.flush();
    note(store);
    note(other);
    await store.remove("id-a");
    await store.flush();
    await other.flush();
    assert.deepEqual(
      (await bed.tokenUse()).map(({ accountId, answers }) => [accountId, answers]),
      [["id-b", 3]],
    );
    assert.deepEqual(
      new Set((await bed.choices()).map(({ accountId }) => accountId)),
      new Set(["id-b"]),
    );
  });
}
