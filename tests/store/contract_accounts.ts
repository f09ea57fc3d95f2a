import assert from "node:assert/strict";
import { Failure } from "../../src/platform/failure.ts";
import { accountSubject } from "../../src/quota/block.ts";
import { testAccount, testCredentials } from "./store_folder.ts";
import { block, type ContractTest, quota } from "./contract_bed.ts";

/** The contract's part on what is known of accounts. */
export function testAccounts(test: ContractTest): void {
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

  test("a refused refresh token counts as consumed until the person says so or it is replaced", async (bed) => {
    const store = await bed.open();
    const other = await bed.open();
    await store.add(testAccount("a"));
    const known = async (one: typeof store) => [
      await one.openRefresh("id-a"),
      await one.refreshRefused("id-a"),
    ];
    await store.beginRefresh("id-a", 1);
    assert.deepEqual(await known(other), [1, false]);
    await store.refuseRefresh(testAccount("a"));
    assert.deepEqual(await known(other), [1, true]);
    await other.endRefresh("id-a");
    assert.deepEqual(await known(store), [undefined, false]);
    await store.refuseRefresh(testAccount("a"));
    await other.swapCredentials("id-a", 1, testCredentials("a", 2));
    assert.deepEqual(await known(store), [undefined, false]);
    // Who was late with its news about the old token says nothing about the new one.
    await store.beginRefresh("id-a", 2);
    await store.refuseRefresh(testAccount("a"));
    assert.deepEqual(await known(other), [2, false]);
  });
}
