import assert from "node:assert/strict";
import type { Account } from "../../src/account/account.ts";
import { type Settings, STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { accountSubject } from "../../src/quota/block.ts";
import { Pool } from "../../src/rotation/pool.ts";
import { MemoryStore, testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";

const NOBODY: ReadonlyMap<string, string> = new Map();

/** A pool of accounts a, b and c, and its explanations as short texts. */
async function explained(settings: Partial<Settings> = {}) {
  const clock = new VirtualClock();
  const store = new MemoryStore(clock, ["a", "b", "c"].map((alias) => testAccount(alias)));
  const values = { ...STANDARD_SETTINGS, ...settings };
  const pool = new Pool({ store, clock, random: () => 0.5, settings: () => values });
  await pool.refresh();
  const serve = (session?: string, parent?: string, tried = NOBODY) =>
    pool.choose({ session, parent }, tried);
  const change = async (alias: string, fields: Partial<Account>) => {
    await store.edit(`id-${alias}`, (account) => ({ ...account, ...fields }));
    store.touch();
    await pool.refresh();
  };
  const texts = () =>
    store.explanations.map(({ session, accountId, reason, leftId, why }) =>
      [session ?? "-", accountId.slice(3), reason, ...(leftId ? [leftId.slice(3), why ?? "-"] : [])]
        .join(" / ")
    );
  return { clock, store, pool, serve, change, texts };
}

Deno.test("a session's first choice is noted, that it stays is not", async () => {
  const { serve, texts } = await explained();
  for (let n = 0; n < 5; n++) await serve("s");
  await serve("child", "s");
  await serve("child", "s");
  assert.deepEqual(texts(), ["s / a / next in turn", "child / a / with its parent"]);
});

Deno.test("every request without a session is noted", async () => {
  const { serve, texts } = await explained();
  for (let n = 0; n < 2; n++) await serve();
  assert.deepEqual(texts(), ["- / a / next in turn", "- / b / next in turn"]);
});

Deno.test("a move names the account that is left, why, and until when", async () => {
  const { serve, store, pool, clock, change, texts } = await explained();
  await serve("s");
  const until = clock.now() + 3_600_000;
  await pool.block({
    subject: accountSubject("id-a"),
    model: "",
    reason: "usage limit",
    until,
    source: "body",
    since: clock.now(),
  });
  await serve("s");
  assert.equal(store.explanations.at(-1)?.until, until);
  await change("b", { setAside: { at: 1, reason: "needs login" } });
  await serve("s");
  assert.equal(store.explanations.at(-1)?.until, undefined);
  await change("b", {});
  await store.edit("id-b", ({ setAside: _, ...account }) => account);
  await change("c", { enabled: false });
  await serve("s");
  await store.remove("id-b");
  await change("c", { enabled: true });
  await serve("s");
  await clock.advance(3_600_001);
  await serve("s", undefined, new Map([["id-c", "no answer in time"]]));
  assert.deepEqual(texts(), [
    "s / a / next in turn",
    "s / b / next in turn / a / usage limit",
    "s / c / next in turn / b / needs login",
    "s / b / next in turn / c / disabled",
    "s / c / next in turn / b / removed",
    "s / a / next in turn / c / no answer in time",
  ]);
});

Deno.test("a pin is noted once for each session, in its place or not, and a later pin again", async () => {
  const { serve, store, pool, texts } = await explained();
  const pin = async (alias?: string) => {
    await store.setPin(alias === undefined ? null : { accountId: `id-${alias}`, until: null });
    await pool.refresh();
  };
  await serve("s");
  await pin("a");
  for (let n = 0; n < 3; n++) await serve("s");
  await serve("t");
  await pin("b");
  for (let n = 0; n < 3; n++) await serve("s");
  await pin();
  await serve("s");
  await pin("b");
  await serve("s");
  assert.deepEqual(texts(), [
    "s / a / next in turn",
    "s / a / pinned",
    "t / a / pinned",
    "s / b / pinned / a / -",
    "s / b / pinned",
  ]);
});

Deno.test("with rotate: request every change of account is noted", async () => {
  const { serve, texts } = await explained({ rotate: "request" });
  for (let n = 0; n < 3; n++) await serve("s");
  assert.deepEqual(texts(), [
    "s / a / next in turn",
    "s / b / next in turn / a / -",
    "s / c / next in turn / b / -",
  ]);
});
