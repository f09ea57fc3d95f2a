import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import fc from "fast-check";
import { MAX_CHOICES } from "../../src/store/choices.ts";
import type { LocalStore } from "../../src/store/local.ts";
import { readChoices, readTokenUse } from "../../src/store/past.ts";
import { loadSqlite } from "../../src/store/sqlite.ts";
import { LEDGER_DAYS } from "../../src/store/token_use.ts";
import { inFolder, testAccount } from "./store_folder.ts";

const DAY = "2026-11-23";
const one = { model: "gpt-5.5", day: DAY, input: 100, cached: 90, output: 10, reasoning: 4 };

/** What `state.db` consisted of at first, `events` aside. */
const FIRST_TABLES = new Set([
  ...["counter", "meta", "figures", "windows", "window_history", "blocks", "affinity", "leases"],
  ...["refreshes", "superseded"],
]);

Deno.test("a state.db of the first version keeps its figures and learns to keep a ledger", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("a"));
    store.observe({ accountId: "id-a", uses: 7 });
    await store.close();
    const db = (await loadSqlite())(folder.paths.state);
    for (
      const { name } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    ) {
      if (!FIRST_TABLES.has(String(name))) db.exec(`DROP TABLE ${name}`);
    }
    db.exec("ALTER TABLE affinity DROP COLUMN moved");
    db.exec("CREATE TABLE events (id INTEGER PRIMARY KEY); PRAGMA user_version = 1");
    db.close();
    const again = await folder.open();
    assert.equal((await again.load()).figures.get("id-a")?.uses, 7);
    again.observe({ accountId: "id-a", tokens: one });
    await again.flush();
    assert.equal((await readTokenUse(again, DAY))[0]?.input, 100);
  }));

Deno.test("days beyond 400 are forgotten, later ones are kept", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("a"));
    store.observe({ accountId: "id-a", tokens: one });
    await store.flush();
    const days = async () => (await readTokenUse(store, "")).map(({ day }) => day);
    await folder.clock.advance(LEDGER_DAYS * 86_400_000);
    store.observe({ accountId: "id-a", tokens: { ...one, day: "2027-12-28" } });
    await store.flush();
    assert.deepEqual(await days(), [DAY, "2027-12-28"]);
    await folder.clock.advance(86_400_000);
    store.observe({ accountId: "id-a", uses: 1 });
    await store.flush();
    assert.deepEqual(await days(), ["2027-12-28"]);
  }));

Deno.test("the newest 2,000 choices are kept, those of a session are found by its beginning", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("a"));
    const note = (at: number) =>
      store.explain({ at, session: `ses_${at}`, accountId: "id-a", reason: "next in turn" });
    for (let at = 1; at <= MAX_CHOICES + 500; at++) {
      note(at);
      if (at % 500 === 0) await store.flush();
    }
    const all = await readChoices(store, 10_000);
    assert.equal(all.length, MAX_CHOICES);
    assert.deepEqual([all[0]?.at, all.at(-1)?.at], [501, MAX_CHOICES + 500]);
    assert.deepEqual((await readChoices(store, 2)).map(({ at }) => at), [2_499, 2_500]);
    const found = (await readChoices(store, 10_000, "ses_249")).map(({ at }) => at);
    assert.deepEqual(found, [2_490, 2_491, 2_492, 2_493, 2_494, 2_495, 2_496, 2_497, 2_498, 2_499]);
    store.explain({ at: 1e13, accountId: "id-a", reason: "pinned" });
    await store.flush();
    assert.deepEqual(await readChoices(store, 1), [{
      at: 1e13,
      accountId: "id-a",
      reason: "pinned",
    }]);
    assert.deepEqual(await readChoices(store, 10_000, "%"), []);
  }));

Deno.test("while the disk refuses, choices wait and do not grow without end", () =>
  inFolder(async (folder) => {
    let full = true;
    const native = await loadSqlite();
    const store = await folder.open({}, {
      sqlite: () =>
        Promise.resolve((path: string) => {
          if (full) throw new Error("database or disk is full");
          return native(path);
        }),
    });
    for (let at = 0; at < 5_000; at++) store.explain({ at, accountId: "id-a", reason: "r" });
    store.observe({ accountId: "id-a", tokens: one });
    await assert.rejects(store.flush(), /no space left/);
    full = false;
    await store.add(testAccount("a"));
    await store.flush();
    const kept = await readChoices(store, 10_000);
    assert.deepEqual([kept.length, kept.at(-1)?.at], [1_000, 4_999]);
    assert.equal((await readTokenUse(store, ""))[0]?.answers, 1);
  }));

Deno.test("reading the ledger of an absent store gives nothing and makes no file", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    assert.deepEqual(await readTokenUse(store, ""), []);
    assert.deepEqual(await readChoices(store, 10), []);
    assert.deepEqual(folder.names(), []);
  }));

/** What happens to one of two stores on one folder. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("observe" as const),
      store: fc.nat(1),
      account: fc.constantFrom("a", "b"),
      model: fc.constantFrom("gpt-5.5", "gpt-5.3-codex", "", "2026-11-23"),
      day: fc.constantFrom("2026-11-22", DAY),
      input: fc.nat(1_000_000),
      output: fc.nat(10_000),
    }),
  },
  fc.record({ kind: fc.constantFrom("flush" as const, "load" as const), store: fc.nat(1) }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(1_500) }),
  fc.record({ kind: fc.constant("fail" as const), store: fc.nat(1) }),
  fc.record({ kind: fc.constant("reopen" as const), store: fc.nat(1) }),
);

Deno.test("property: sums are neither lost nor doubled over flushes, failed ones included, of two stores", () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), (steps) =>
      inFolder(async (folder) => {
        const native = await loadSqlite();
        const refusing = [false, false];
        const open = (which: number) =>
          folder.open({}, {
            sqlite: () =>
              Promise.resolve((path: string) => {
                const db = native(path);
                return {
                  ...db,
                  exec(sql: string) {
                    if (refusing[which] && sql === "COMMIT") throw full();
                    db.exec(sql);
                  },
                };
              }),
          });
        const stores = [await open(0), await open(1)] as [LocalStore, LocalStore];
        for (const alias of ["a", "b"]) await stores[0].add(testAccount(alias));
        const expected = new Map<string, number[]>();
        for (const one of steps) {
          if (one.kind === "pass") {
            await folder.clock.advance(one.ms);
            continue;
          }
          const store = stores[one.store === 0 ? 0 : 1];
          if (one.kind === "flush") await store.flush();
          if (one.kind === "load") await store.load();
          if (one.kind === "fail") {
            refusing[one.store] = true;
            await store.flush().catch(() => {});
            refusing[one.store] = false;
          }
          if (one.kind === "reopen") {
            await store.close();
            stores[one.store === 0 ? 0 : 1] = await open(one.store);
          }
          if (one.kind === "observe") {
            const { account, model, day, input, output } = one;
            const tokens = { model, day, input, cached: input >> 1, output, reasoning: 1 };
            store.observe({ accountId: `id-${account}`, tokens });
            const key = [day, `id-${account}`, model].join("|");
            const sums = expected.get(key) ?? [0, 0, 0, 0, 0];
            expected.set(
              key,
              [1, input, input >> 1, output, 1].map((value, at) => value + (sums[at] ?? 0)),
            );
          }
        }
        for (const store of stores) await store.flush();
        const found = new Map(
          (await readTokenUse(await folder.open(), "")).map((use) => [
            [use.day, use.accountId, use.model].join("|"),
            [use.answers, use.input, use.cached, use.output, use.reasoning],
          ]),
        );
        assert.deepEqual(found, new Map([...expected].sort()));
        rmSync(folder.paths.folder, { recursive: true, force: true });
      })),
    { numRuns: 40 },
  ));

function full(): Error {
  return Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR" });
}
