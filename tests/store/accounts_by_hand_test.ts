import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { inFolder, testAccount, testCredentials } from "./store_folder.ts";
import { withTwoAccounts } from "./two_accounts.ts";

Deno.test("a broken account is named, kept as it is, and does not stop the others", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const broken = {
      cut: { accessToken: "access-cut", notes: "mine" },
      number: 5,
      list: [1],
      expiry: { accessToken: "x", refreshToken: "y", expiresAt: "tomorrow" },
      tags: { accessToken: "x", refreshToken: "y", expiresAt: 1, tags: "a,b" },
    };
    const json = JSON.parse(folder.text());
    json.accounts = { ...broken, ...json.accounts };
    writeFileSync(folder.paths.accounts, JSON.stringify(json));
    const store = await folder.open();
    assert.deepEqual((await store.load()).accounts.map(({ alias }) => alias), ["a", "b"]);
    const told = store.warnings.map((warning) => warning.replace(folder.paths.accounts, "F"));
    assert.deepEqual(told, [
      `The account "cut" in F is left out: refreshToken is missing.`,
      `The account "number" in F is left out: it must be an object.`,
      `The account "list" in F is left out: it must be an object.`,
      `The account "expiry" in F is left out: expiresAt must be a number of milliseconds.`,
      `The account "tags" in F is left out: tags must be a list of texts.`,
    ]);
    await store.swapCredentials("id-a", 1, testCredentials("a", 2));
    const after = JSON.parse(folder.text()).accounts;
    for (const [alias, raw] of Object.entries(broken)) assert.deepEqual(after[alias], raw);
    assert.equal(after.a.refreshToken, "refresh-a-2");
    await assert.rejects(store.add(testAccount("cut")), /"cut" that is no account/);
  }));

Deno.test("fields that we do not know are kept when an account is rewritten", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const json = JSON.parse(folder.text());
    json.theirs = { of: ["the", "file"] };
    json.accounts.a.theirs = { nested: [1, null] };
    Object.defineProperty(json.accounts.a, "__proto__", { value: 7, enumerable: true });
    writeFileSync(folder.paths.accounts, JSON.stringify(json));
    const store = await folder.open();
    await store.edit("id-a", (account) => ({ ...account, notes: "n" }));
    const after = JSON.parse(folder.text());
    assert.deepEqual(after.theirs, { of: ["the", "file"] });
    assert.deepEqual(after.accounts.a.theirs, { nested: [1, null] });
    assert.equal(Object.entries(after.accounts.a).find(([name]) => name === "__proto__")?.[1], 7);
    assert.equal(after.accounts.a.notes, "n");
  }));

Deno.test("an account added by hand works and gets its id with the next save", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const json = JSON.parse(folder.text());
    const { id: _id, ...copy } = json.accounts.a;
    json.accounts.copy = copy;
    json.accounts.again = { ...copy };
    json.accounts.same = { ...json.accounts.a };
    writeFileSync(folder.paths.accounts, JSON.stringify(json));
    const [store, other] = [await folder.open(), await folder.open()];
    const ids = (await store.load()).accounts.map(({ id }) => id);
    assert.equal(new Set(ids).size, 5, "each has an id of its own");
    assert.deepEqual((await other.load()).accounts.map(({ id }) => id), ids);
    await other.edit("id-b", (account) => ({ ...account, notes: "n" }));
    assert.deepEqual((await store.load()).accounts.map(({ id }) => id), ids);
    assert.equal(JSON.parse(folder.text()).accounts.copy.id, ids[2]);
  }));

Deno.test("an edit by hand is noticed after the next save of figures, and at every load", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const store = await folder.open();
    await store.load();
    const json = JSON.parse(folder.text());
    json.accounts.a.notes = "by hand";
    writeFileSync(folder.paths.accounts, JSON.stringify(json));
    store.observe({ accountId: "id-a", uses: 1 });
    assert.equal(store.changed(), false, "no look at the file for each request");
    await folder.clock.advance(1_000);
    assert.equal(store.changed(), true);
    assert.equal((await store.load()).accounts[0]?.notes, "by hand");
    assert.equal(store.changed(), false);
  }));

Deno.test("two members of one workspace; one person in two workspaces with one email", () =>
  inFolder(async (folder) => {
    folder.use("v2.json");
    const json = JSON.parse(folder.text());
    for (const account of Object.values<Record<string, unknown>>(json.accounts)) {
      // As the first of the older projects wrote them: the workspace alone.
      delete account["accountUserId"];
      delete account["userId"];
    }
    writeFileSync(folder.paths.accounts, JSON.stringify(json));
    const store = await folder.open();
    for (let round = 0; round < 2; round++) {
      const { accounts } = await store.load();
      const four = accounts.filter(({ alias }) => alias !== "backup");
      assert.deepEqual(four.map(({ alias }) => alias), ["personal", "work", "mate", "side"]);
      assert.equal(new Set(four.map(({ id }) => id)).size, 4);
      const [personal, work, mate, side] = four.map(({ identity }) => identity);
      assert.equal(work?.workspaceId, mate?.workspaceId);
      assert.notEqual(work?.memberId, mate?.memberId);
      assert.equal(personal?.userId, side?.userId);
      assert.notEqual(personal?.workspaceId, side?.workspaceId);
      await store.setPin(null);
      await store.edit(four[0]?.id ?? "", (account) => ({ ...account, notes: "rewritten" }));
    }
  }));

Deno.test("alias with spaces, emoji, `..`, `__proto__`, 300 letters", () =>
  inFolder(async (folder) => {
    const aliases = [
      "two words",
      "🦊 fox",
      "..",
      "../../etc/passwd",
      "__proto__",
      "constructor",
      "x".repeat(300),
      "10",
      "2",
      "",
      "\u0000\n\ud800",
    ];
    const store = await folder.open();
    for (const [index, alias] of aliases.entries()) {
      await store.add({ ...testAccount("n"), id: `id-${index}`, alias });
    }
    const other = await folder.open();
    for (const one of [store, other]) {
      const { accounts } = await one.load();
      assert.deepEqual(accounts.map(({ alias }) => alias), aliases);
      assert.deepEqual(accounts.map(({ id }) => id), aliases.map((_, index) => `id-${index}`));
    }
    await other.edit("id-4", (account) => ({ ...account, notes: "polluted?" }));
    assert.equal(({} as { notes?: string }).notes, undefined);
    assert.equal((await store.load()).accounts[4]?.notes, "polluted?");
    assert.deepEqual(folder.names(), ["accounts.json", "accounts.json.bak", "state.db"]);
    assert.equal(await store.remove("id-4"), true);
    assert.equal((await store.load()).accounts.length, aliases.length - 1);
  }));
