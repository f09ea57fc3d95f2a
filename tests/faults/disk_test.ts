import assert from "node:assert/strict";
import { type Database, loadSqlite } from "../../src/store/sqlite.ts";
import { faultyFiles } from "../platform/faulty_files.ts";
import { Bed, errorIn, HOUR, said, SECOND } from "./bed.ts";

const ONE = [{ name: "a", accessTokenLifetimeMs: HOUR }];

Deno.test("refresh answer arrives, disk is full: a client that is closed saves the new tokens", async () => {
  const disk = faultyFiles();
  await using bed = await Bed.open({ plans: ONE, disk });
  await bed.account("a");
  bed.clock.jump(bed.clock.now() + HOUR + SECOND);
  disk.fail = (call, path) =>
    call === "open" && path?.includes("accounts.json.tmp") ? "ENOSPC" : undefined;
  assert.match(await said(await bed.patiently(bed.ask())), /served by a/);
  assert.equal((await bed.account("a"))?.generation, 1);
  disk.fail = () => undefined;
  await bed.client.close();
  const store = await bed.otherStore();
  assert.equal((await store.load()).accounts[0]?.generation, 2);
  await store.close();
});

Deno.test("tokens that cannot be saved are not spent either: nobody sends those in the file, which are", async () => {
  const disk = faultyFiles();
  await using bed = await Bed.open({ plans: ONE, disk });
  await bed.account("a");
  const pass = () => bed.clock.jump(bed.clock.now() + HOUR + SECOND);
  pass();
  disk.fail = (call, path) =>
    call === "open" && path?.includes("accounts.json.tmp") ? "ENOSPC" : undefined;
  assert.match(await said(await bed.patiently(bed.ask())), /served by a/);
  pass();
  assert.match((await errorIn(await bed.patiently(bed.ask()))).message, /ENOSPC/);
  const other = await bed.otherStore();
  await other.load();
  assert.equal(await other.openRefresh((await bed.account("a"))!.id), 1);
  await other.close();
  disk.fail = () => undefined;
  assert.match(await said(await bed.patiently(bed.ask())), /served by a/);
  assert.equal((await bed.account("a"))?.generation, 3);
});

/** SQLite as it is on a disk that is full from one moment on: nothing can be committed, or it cannot even be opened. */
async function fullDisk() {
  const sqlite = await loadSqlite();
  const disk = { full: false, opens: true, calls: 0 };
  const fail = () => {
    disk.calls++;
    throw Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR" });
  };
  return {
    disk,
    sqlite: () =>
      Promise.resolve((path: string): Database => {
        if (disk.full && !disk.opens) fail();
        const db = sqlite(path);
        let writes = false;
        return {
          ...db,
          exec(sql) {
            if (disk.full && writes && sql === "COMMIT") fail();
            if (/^BEGIN/.test(sql)) writes = sql === "BEGIN IMMEDIATE";
            db.exec(sql);
          },
        };
      }),
  };
}

for (const left of [120 * SECOND, 5 * SECOND]) {
  Deno.test(`a disk that is full at a refresh stops no token that lives, with ${left / SECOND} s left`, async () => {
    const { disk, sqlite } = await fullDisk();
    await using bed = await Bed.open({ plans: ONE, disk: { sqlite } });
    await said(await bed.ask("before"));
    bed.clock.jump(bed.clock.now() + HOUR - left);
    disk.full = true;
    for (const session of ["s", "t"]) {
      assert.match(await said(await bed.patiently(bed.ask(session))), /served by a/);
    }
    assert.ok(disk.calls > 0);
    assert.equal(bed.simulator.tokenCalls.length, 0, "no token is spent that could not be saved");
    disk.full = false;
  });
}

Deno.test("a token that has ended and cannot be renewed is said with the file and the fix", async () => {
  const { disk, sqlite } = await fullDisk();
  await using bed = await Bed.open({ plans: ONE, disk: { sqlite } });
  await said(await bed.ask("before"));
  bed.clock.jump(bed.clock.now() + HOUR + SECOND);
  disk.full = true;
  const answer = await bed.patiently(bed.ask());
  assert.equal(answer.status, 403);
  const { message } = await errorIn(answer);
  assert.match(
    message,
    /a has no token that lives.*no space left to write .*state\.db\. Free some/,
  );
  disk.full = false;
});

Deno.test("a process that starts on a full disk, where state.db cannot even be read, uses tokens that live", async () => {
  const { disk, sqlite } = await fullDisk();
  disk.full = true;
  disk.opens = false;
  await using bed = await Bed.open({ plans: ONE, disk: { sqlite } });
  assert.match(await said(await bed.ask()), /served by a/);
  assert.ok(disk.calls > 0);
  disk.full = false;
});
