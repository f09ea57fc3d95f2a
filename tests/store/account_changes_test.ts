import assert from "node:assert/strict";
import { inFolder, testAccount, testCredentials } from "./store_folder.ts";
import { withTwoAccounts } from "./two_accounts.ts";

Deno.test("new credentials may bring a new alias, if nobody else has it", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const store = await folder.open();
    const swap = (alias: string, generation: number) =>
      store.swapCredentials(
        "id-a",
        generation,
        testCredentials("a", generation + 1),
        (account) => ({ ...account, alias }),
      );
    await assert.rejects(swap("b", 1), /already an account "b"/);
    assert.deepEqual((await store.load()).accounts, [testAccount("a"), testAccount("b")]);
    assert.equal((await swap("a", 1))?.generation, 2, "its own alias is not taken");
    assert.equal((await swap("renamed", 2))?.alias, "renamed");
    assert.deepEqual(
      (await (await folder.open()).load()).accounts.map(({ alias }) => alias),
      ["renamed", "b"],
    );
  }));

Deno.test("the generation of an account that is added again goes on from the highest it ever had", () =>
  inFolder(async (folder) => {
    const empty = await folder.open();
    await empty.add(testAccount("b"));
    const backup = folder.text();
    const store = await folder.open();
    await store.add(testAccount("a"));
    for (const generation of [1, 2]) {
      await store.swapCredentials("id-a", generation, testCredentials("a", generation + 1));
    }
    store.observe({ accountId: "id-a", uses: 7 });
    await store.flush();
    // A backup from before it was added; then its person signs in again.
    Deno.writeTextFileSync(folder.paths.accounts, backup);
    const restored = await folder.open();
    await restored.add(testAccount("a"));
    assert.equal((await restored.load()).figures.get("id-a")?.uses, 7, "what was counted stays");
    const renewed = await restored.swapCredentials("id-a", 1, testCredentials("again", 2));
    assert.equal(renewed?.generation, 4);
  }));

Deno.test("the first figures of an account are news to a process that has looked before", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("b"));
    const other = await folder.open();
    await other.load();
    await store.add(testAccount("a"));
    assert.equal(other.changed(), true);
    assert.deepEqual((await other.load()).figures.get("id-a"), { uses: 0, windows: [] });
  }));
