/**
 * What every store must do, whatever it keeps things in.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Failure } from "../../src/platform/failure.ts";
import { accountSubject, type Block, workspaceSubject } from "../../src/quota/block.ts";
import type { QuotaWindow } from "../../src/quota/window.ts";
import type { TokenUse } from "../../src/store/past.ts";
import type { Explanation, Store } from "../../src/store/store.ts";
import type { VirtualClock } from "../virtual_clock.ts";
import { testAccount, testCredentials } from "./store_folder.ts";

/** Where stores of one kind are opened for one test. */
export interface StoreBed {
  readonly clock: VirtualClock;
  /** Opens a store on what all stores of this bed share, as another process would. */
  open(): Promise<Store>;
  /** The usage ledger as it is saved, by day, account and model. */
  tokenUse(): Promise<TokenUse[]>;
  /** The choices that are saved, oldest first. */
  choices(): Promise<Explanation[]>;
  /** Closes every store and throws everything away. */
  remove(): Promise<void>;
}

/**
 * Registers the tests.
 *
 * @param kind What the store is, for the names of the tests.
 * @param makeBed A new, empty bed.
 */
export function testStoreContract(kind: string, makeBed: () => StoreBed | Promise<StoreBed>): void {
  const test = (name: string, work: (bed: StoreBed) => Promise<void>) =>
    Deno.test(`${kind}: ${name}`, async () => {
      const bed = await makeBed();
      try {
        await work(bed);
      } finally {
        await bed.remove();
      }
    });

  test("an absent store is empty and unlocked", async (bed) => {
    const store = await bed.open();
    assert.deepEqual(await store.load(), {
      accounts: [],
      figures: new Map(),
      blocks: [],
      pin: null,
      activeId: null,
      turnId: null,
      locked: false,
    });
  });

  test("accounts come back whole, in the order in which they were added", async (bed) => {
    const store = await bed.open();
    const full = testAccount("b", {
      plan: "team",
      enabled: false,
      disabled: { at: 1, reason: "holiday" },
      setAside: { at: 2, reason: "workspace deactivated" },
      addedAt: 3,
      refreshedAt: 4_000,
      tags: ["x", "y"],
      notes: "two\nlines",
      source: "codex",
      credentials: { ...testCredentials("b", 1), idToken: "id" },
      identity: { workspaceId: "w", memberId: "m", userId: "u" },
    });
    const { identity: _identity, email: _email, ...bare } = testAccount("a");
    for (const account of [full, bare, testAccount("7")]) await store.add(account);
    assert.deepEqual((await store.load()).accounts, [full, bare, testAccount("7")]);
    assert.deepEqual((await (await bed.open()).load()).accounts, [full, bare, testAccount("7")]);
  });

  test("add refuses an alias or an id that is taken, and changes nothing", async (bed) => {
    const store = await bed.open();
    await store.add(testAccount("a"));
    const sameAlias = { ...testAccount("b"), alias: "a" };
    const sameId = { ...testAccount("b"), id: "id-a" };
    await assert.rejects(store.add(sameAlias), Failure);
    await assert.rejects(store.add(sameId), /already stored as "a"/);
    assert.deepEqual((await store.load()).accounts, [testAccount("a")]);
  });

  test("remove takes everything about an account away", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    for (const name of ["a", "b"]) await store.add(testAccount(name));
    for (const id of ["id-a", "id-b"]) {
      store.observe({ accountId: id, uses: 2, usedAt: 5, windows: [quota({ observedAt: 5 })] });
      await store.block(block({ subject: accountSubject(id) }));
      store.setAffinity({ session: `s-${id}`, accountId: id, at: bed.clock.now() });
    }
    store.setTurn({ activeId: "id-a", turnId: "id-a" });
    await store.setPin({ accountId: "id-a", until: null });
    await store.beginRefresh("id-a", 1);
    await store.flush();
    await other.load();
    store.observe({ accountId: "id-a", uses: 1 });

    assert.equal(await store.remove("id-a"), true);
    assert.equal(await store.remove("id-a"), false);
    await store.add(testAccount("a"));
    for (const one of [store, other]) {
      const { accounts, figures, blocks, pin, activeId, turnId } = await one.load();
      assert.deepEqual(accounts.map(({ alias }) => alias), ["b", "a"]);
      assert.equal(figures.get("id-a")?.uses ?? 0, 0);
      assert.deepEqual(figures.get("id-a")?.windows ?? [], []);
      assert.equal(figures.get("id-b")?.uses, 2);
      assert.deepEqual(blocks.map(({ subject }) => subject), [accountSubject("id-b")]);
      assert.deepEqual({ pin, activeId, turnId }, { pin: null, activeId: null, turnId: null });
      assert.equal(await one.affinity("s-id-a"), undefined);
      assert.equal((await one.affinity("s-id-b"))?.accountId, "id-b");
      assert.equal(await one.openRefresh("id-a"), undefined);
    }
  });

  test("what was counted for an account that somebody else removed is dropped", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    await store.add(testAccount("a"));
    await other.load();
    other.observe({ accountId: "id-a", uses: 3 });
    await store.remove("id-a");
    await other.flush();
    await store.add(testAccount("a"));
    assert.equal((await store.load()).figures.get("id-a")?.uses ?? 0, 0);
  });

  test("edit changes the description in its place and leaves the credentials", async (bed) => {
    const store = await bed.open();
    for (const name of ["a", "b"]) await store.add(testAccount(name));
    store.observe({ accountId: "id-a", uses: 4 });
    const edited = await store.edit("id-a", (account) => ({
      ...account,
      alias: "renamed",
      notes: "n",
      generation: 99,
      id: "other",
      credentials: testCredentials("evil", 9),
    }));
    const expected = { ...testAccount("a"), alias: "renamed", notes: "n" };
    assert.deepEqual(edited, expected);
    const { accounts, figures } = await store.load();
    assert.deepEqual(accounts, [expected, testAccount("b")]);
    assert.equal(figures.get("id-a")?.uses, 4);
  });

  test("edit of an unknown account gives undefined, to a taken alias it is refused", async (bed) => {
    const store = await bed.open();
    for (const name of ["a", "b"]) await store.add(testAccount(name));
    assert.equal(await store.edit("id-c", (account) => account), undefined);
    await assert.rejects(store.edit("id-a", (a) => ({ ...a, alias: "b" })), Failure);
    assert.deepEqual((await store.load()).accounts, [testAccount("a"), testAccount("b")]);
  });

  test("edits by two processes are both kept", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    await store.add(testAccount("a"));
    await other.load();
    await store.edit("id-a", (account) => ({ ...account, notes: "mine" }));
    await other.edit("id-a", (account) => ({ ...account, tags: ["theirs"] }));
    const [account] = (await store.load()).accounts;
    assert.deepEqual([account?.notes, account?.tags], ["mine", ["theirs"]]);
  });

  test("swapCredentials sets the next generation and lifts a set-aside mark", async (bed) => {
    const store = await bed.open();
    await store.add(testAccount("a", { setAside: { at: 1, reason: "needs login" } }));
    const swapped = await store.swapCredentials(
      "id-a",
      1,
      testCredentials("a", 2),
      (account) => ({ ...account, plan: "pro" }),
    );
    const expected = testAccount("a", {
      credentials: testCredentials("a", 2),
      generation: 2,
      plan: "pro",
    });
    assert.deepEqual(swapped, expected);
    assert.deepEqual((await (await bed.open()).load()).accounts, [expected]);
  });

  test("an older generation never replaces a newer one", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    await store.add(testAccount("a"));
    await other.load();
    assert.equal((await store.swapCredentials("id-a", 1, testCredentials("a", 2)))?.generation, 2);
    assert.equal(await other.swapCredentials("id-a", 1, testCredentials("late", 2)), undefined);
    assert.equal(await other.swapCredentials("nobody", 1, testCredentials("x", 2)), undefined);
    const [account] = (await other.load()).accounts;
    assert.deepEqual(account?.credentials, testCredentials("a", 2));
  });

  test("a begun refresh is known to everybody until it ends or is saved", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    await store.add(testAccount("a"));
    assert.equal(await store.openRefresh("id-a"), undefined);
    await store.beginRefresh("id-a", 1);
    assert.equal(await other.openRefresh("id-a"), 1);
    await other.endRefresh("id-a");
    assert.equal(await store.openRefresh("id-a"), undefined);
    await store.beginRefresh("id-a", 1);
    await store.swapCredentials("id-a", 1, testCredentials("a", 2));
    assert.notEqual(await store.openRefresh("id-a"), 2);
  });

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

  test("a block is there for everybody at once, and one of the same scope replaces it", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    await store.add(testAccount("a"));
    await other.load();
    const now = bed.clock.now();
    const first = block({ since: now - 5 });
    await store.block(first);
    assert.equal(other.changed(), true);
    assert.deepEqual((await other.load()).blocks, [first]);
    const second = block({ since: now, until: now + 9_999, reason: "rate limit" });
    const model = block({ model: "gpt-5.3-codex-spark" });
    const workspace = block({ subject: workspaceSubject("w") });
    for (const one of [second, model, workspace]) await store.block(one);
    assert.deepEqual(new Set((await other.load()).blocks), new Set([second, model, workspace]));
  });

  test("older evidence neither replaces nor lifts a block, newer evidence does", async (bed) => {
    const store = await bed.open();
    const now = bed.clock.now();
    const real = block({ since: now - 10 });
    await store.block(real);
    await store.block(block({ since: now - 20, until: now + 1 }));
    await store.unblock(real, now - 20);
    await store.unblock(real, now - 10);
    assert.deepEqual((await store.load()).blocks, [real]);
    await store.unblock(real, now - 5);
    assert.deepEqual((await store.load()).blocks, []);
    await store.block(block({ since: now - 7 }));
    assert.deepEqual((await store.load()).blocks, [], "older evidence does not bring it back");
    await store.block(block({ since: now }));
    assert.equal((await store.load()).blocks.length, 1);
  });

  test("a block that has ended is not in the snapshot", async (bed) => {
    const store = await bed.open();
    await store.block(block({ until: bed.clock.now() + 1_000 }));
    assert.equal((await store.load()).blocks.length, 1);
    await bed.clock.advance(1_000);
    assert.equal((await store.load()).blocks.length, 0);
  });

  test("pin, active account and turn are shared", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    await store.setPin({ accountId: "id-a", until: 5 });
    assert.deepEqual((await other.load()).pin, { accountId: "id-a", until: 5 });
    await other.setPin(null);
    assert.equal((await store.load()).pin, null);
    store.setTurn({ activeId: "id-a", turnId: "id-b" });
    assert.equal((await store.load()).activeId, "id-a");
    store.setTurn({ turnId: "id-c" });
    await store.flush();
    const { activeId, turnId } = await other.load();
    assert.deepEqual([activeId, turnId], ["id-a", "id-c"]);
  });

  test("affinity is known at once here and after a save everywhere; the newer one wins", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    const now = bed.clock.now();
    const mine = { session: "s", accountId: "id-a", at: now };
    store.setAffinity(mine);
    assert.deepEqual(await store.affinity("s"), mine);
    assert.equal(await other.affinity("s"), undefined);
    await store.flush();
    assert.deepEqual(await other.affinity("s"), mine);
    other.setAffinity({ session: "s", accountId: "id-b", at: now - 1 });
    await other.flush();
    assert.deepEqual(await store.affinity("s"), mine);
  });

  test("changed tells of other processes, once, and not of this one", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    assert.equal(store.changed(), true, "nothing was loaded yet");
    await store.add(testAccount("a"));
    await store.load();
    await other.load();
    await store.edit("id-a", (account) => ({ ...account, notes: "n" }));
    store.observe({ accountId: "id-a", uses: 1 });
    await store.flush();
    assert.equal(store.changed(), false);
    assert.equal(other.changed(), true);
    await other.load();
    assert.equal(other.changed(), false);
  });

  test("what one reader of a store has read is still new for another", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    await store.add(testAccount("a"));
    const pool = await store.load();
    await other.edit("id-a", (account) => ({ ...account, enabled: false }));
    // A refresh, say, looks at the store in between.
    const refresh = await store.load();
    assert.equal(store.changed(pool), true);
    assert.equal(store.changed(refresh), false);
    assert.equal(store.changed(await store.load()), false);
    assert.equal(store.changed(refresh), false, "another look that finds nothing new is no change");
  });

  test("a store that was empty notices the first account", async (bed) => {
    const store = await bed.open();
    await store.load();
    assert.equal(store.changed(), false);
    await (await bed.open()).add(testAccount("a"));
    assert.equal(store.changed(), true);
    assert.equal((await store.load()).accounts.length, 1);
  });

  test("one process at a time holds a lease", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    const lease = await store.lease("refresh", 60_000);
    assert.ok(lease);
    assert.equal(await store.lease("refresh", 60_000), undefined);
    assert.equal(await other.lease("refresh", 60_000), undefined);
    assert.ok(await other.lease("another", 60_000));
    await lease.release();
    assert.ok(await other.lease("refresh", 60_000));
  });

  test("who minted what is known to every store at once or within a second", async (bed) => {
    const store = await bed.open();
    assert.deepEqual(await store.mints(["h1"]), new Map());
    const other = await bed.open();
    store.setMint("h1", "id-a");
    store.setMint("h2", "id-b");
    store.setMint("h2", "");
    const all = new Map([["h1", "id-a"], ["h2", ""]]);
    assert.deepEqual(await store.mints(["h1", "h2", "h3"]), all);
    await bed.clock.advance(1_000);
    assert.deepEqual(await other.mints(["h1", "h2", "h3"]), all);
    other.setMint("h1", "id-c");
    assert.deepEqual(await other.mints(["h1"]), new Map([["h1", "id-c"]]));
    await other.flush();
    assert.deepEqual(await store.mints(["h1"]), new Map([["h1", "id-c"]]));
  });

  test("of 20,001 minted items the oldest is forgotten", async (bed) => {
    const store = await bed.open();
    store.setMint("first", "id-a");
    await store.flush();
    await bed.clock.advance(1);
    for (let n = 1; n < 20_000; n++) store.setMint(`h${n}`, "id-a");
    await store.flush();
    assert.equal((await store.mints(["first"])).size, 1);
    await bed.clock.advance(1);
    store.setMint("last", "id-a");
    await store.flush();
    assert.deepEqual([...(await store.mints(["first", "last", "h1"])).keys()], ["last", "h1"]);
    for (let n = 0; n <= 20_000; n++) store.setMint(`p${n}`, "id-b");
    assert.equal((await store.mints(["p0"])).size, 0, "what waits is bounded as well");
  });

  test("what a removed account minted nobody can read", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    await store.add(testAccount("a"));
    store.setMint("saved", "id-a");
    store.setMint("else", "id-b");
    await store.flush();
    store.setMint("waiting", "id-a");
    await store.remove("id-a");
    await store.flush();
    const expected = new Map([["saved", ""], ["else", "id-b"], ["waiting", ""]]);
    assert.deepEqual(await other.mints(["saved", "else", "waiting"]), expected);
  });

  test("a session that has moved once stays one that has", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    const at = bed.clock.now();
    const stays = { session: "s", accountId: "id-a", at };
    store.setAffinity(stays);
    await store.flush();
    assert.deepEqual(await other.affinity("s"), stays);
    store.setAffinity({ ...stays, accountId: "id-b", moved: true });
    store.setAffinity({ ...stays, accountId: "id-b" });
    await store.flush();
    other.setAffinity(stays);
    await other.flush();
    const moved = { ...stays, moved: true };
    assert.deepEqual(await (await bed.open()).affinity("s"), moved);
    assert.deepEqual(await store.affinity("s"), moved);
  });

  test("nobody takes a lease during the pause after its release", async (bed) => {
    const store = await bed.open();
    const lease = await store.lease("refresh", 60_000);
    await lease?.release(4_000);
    await bed.clock.advance(3_999);
    assert.equal(await store.lease("refresh", 60_000), undefined);
    await bed.clock.advance(1);
    assert.ok(await store.lease("refresh", 60_000));
  });

  test("a lease falls back after its time, and its late release harms nobody", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    const late = await store.lease("refresh", 1_000);
    await bed.clock.advance(1_000);
    assert.ok(await other.lease("refresh", 60_000));
    await late?.release();
    assert.equal(await store.lease("refresh", 60_000), undefined);
  });

  test("a clock that is set back a day does not keep a lease for a day", async (bed) => {
    const store = await bed.open();
    await store.lease("refresh", 1_000);
    bed.clock.jump(bed.clock.now() - 86_400_000);
    assert.equal(await store.lease("refresh", 1_000), undefined);
    await bed.clock.advance(1_000);
    const lease = await store.lease("refresh", 1_000);
    assert.ok(lease);
    await lease.release(500);
    bed.clock.jump(bed.clock.now() - 86_400_000);
    assert.equal(await store.lease("refresh", 1_000), undefined);
    await bed.clock.advance(500);
    assert.ok(await store.lease("refresh", 1_000));
  });

  test("close saves what is pending", async (bed) => {
    const store = await bed.open();
    await store.add(testAccount("a"));
    store.observe({ accountId: "id-a", uses: 5 });
    await store.close();
    assert.equal((await (await bed.open()).load()).figures.get("id-a")?.uses, 5);
    assert.equal(bed.clock.pending, 0, "no timer is left");
  });

  /** A block of account "a", an hour long. */
  function block(fields: Partial<Block>): Block {
    return {
      subject: accountSubject("id-a"),
      model: "",
      reason: "usage limit",
      until: 1795456800_000 + 3_600_000,
      source: "body",
      since: 1795456800_000,
      ...fields,
    };
  }

  function quota(fields: Partial<QuotaWindow>): QuotaWindow {
    return {
      bucket: "codex",
      minutes: 300,
      usedPercent: 50,
      resetsAt: null,
      observedAt: 0,
      ...fields,
    };
  }
}
