import assert from "node:assert/strict";
import { workspaceSubject } from "../../src/quota/block.ts";
import { testAccount } from "./store_folder.ts";
import { block, type ContractTest } from "./contract_bed.ts";

/** The contract's part on what processes share: blocks, pin, affinity, leases. */
export function testSharing(test: ContractTest): void {
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
    const second = block({ since: now, until: now + 9_999 });
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

  test("a guess of another process cuts no block, and one that lasts longer counts", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    const now = bed.clock.now();
    const real = block({ since: now - 10 });
    await store.block(real);
    await other.block(block({ since: now, until: real.until - 1, source: "guess" }));
    assert.deepEqual((await store.load()).blocks, [real]);
    const longer = block({ since: now, until: real.until + 1, source: "guess" });
    await other.block(longer);
    assert.deepEqual((await store.load()).blocks, [longer]);
  });

  test("a throttle that another process has met cuts no spent quota", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    const now = bed.clock.now();
    const quota = block({ since: now - 10 });
    const throttle = { reason: "rate limit", source: "retry-after" } as const;
    await store.block(quota);
    await other.block(block({ ...throttle, since: now, until: quota.until - 1 }));
    assert.deepEqual((await store.load()).blocks, [quota]);
    const longer = block({ ...throttle, since: now, until: quota.until + 1 });
    await other.block(longer);
    assert.deepEqual((await store.load()).blocks, [longer]);
    const shorter = block({ ...throttle, since: now + 1, until: quota.until });
    await other.block(shorter);
    assert.deepEqual((await store.load()).blocks, [shorter], "of two throttles the newer counts");
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
}
