import assert from "node:assert/strict";
import type { Account } from "../../src/account/account.ts";
import { describeExhaustion } from "../../src/codex/exhausted.ts";
import { STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { accountSubject } from "../../src/quota/block.ts";
import { Pool } from "../../src/rotation/pool.ts";
import { MemoryStore, testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";

async function poolOf(accounts: Account[], lists: Record<string, string[]>) {
  const clock = new VirtualClock();
  const store = new MemoryStore(clock, accounts);
  const settings = () => STANDARD_SETTINGS;
  const pool = new Pool({ store, clock, random: () => 0.5, settings });
  await pool.refresh();
  pool.models.set(
    new Map(Object.entries(lists).map(([alias, slugs]) => [`id-${alias}`, new Set(slugs)])),
  );
  let session = 0;
  const serve = async (model: string | undefined, name = `s${session++}`) =>
    (await pool.choose({ session: name, model }, new Map()))?.account.alias;
  return { clock, pool, serve };
}

const three = () => ["a", "b", "c"].map((alias) => testAccount(alias));

Deno.test("a model that only some accounts have is routed to those", async () => {
  const { serve } = await poolOf(three(), { a: ["x"], b: ["x", "new"], c: ["x", "new"] });
  const order = [];
  for (let n = 0; n < 4; n++) order.push(await serve("new"));
  assert.deepEqual(order, ["b", "c", "b", "c"]);
  assert.equal(await serve("x"), "a");
});

Deno.test("an account whose list is not known may have every model", async () => {
  const { serve } = await poolOf(three(), { a: ["x"], b: ["x", "new"] });
  const order = [];
  for (let n = 0; n < 4; n++) order.push(await serve("new"));
  assert.deepEqual(order, ["b", "c", "b", "c"]);
});

Deno.test("a model that no list has is held against nobody, and no model neither", async () => {
  const { serve } = await poolOf(three(), { a: ["x"], b: ["x"], c: ["x"] });
  assert.deepEqual([await serve("old"), await serve("old"), await serve(undefined)], [
    "a",
    "b",
    "c",
  ]);
});

Deno.test("who has a model but never serves keeps nobody else from trying", async () => {
  const off = testAccount("b", { enabled: false });
  const aside = testAccount("c", { setAside: { at: 0, reason: "needs login" } });
  const lists = { a: ["x"], b: ["new"], c: ["new"] };
  const { serve } = await poolOf([testAccount("a"), off, aside], lists);
  assert.equal(await serve("new"), "a");
});

Deno.test("a conversation moves to an account that has the model it asks for", async () => {
  const { serve } = await poolOf(three(), { a: ["x"], b: ["x", "new"], c: ["x"] });
  assert.equal(await serve("x", "s"), "a");
  assert.equal(await serve("new", "s"), "b");
  assert.equal(await serve("x", "s"), "b");
});

Deno.test("who has the model is at its limit: nobody serves, and it is said why", async () => {
  const { pool, clock, serve } = await poolOf(three(), { a: ["x"], b: ["new"], c: ["x"] });
  await pool.block({
    subject: accountSubject("id-b"),
    model: "",
    reason: "usage limit",
    until: clock.now() + 3_600_000,
    since: clock.now(),
    source: "body",
  });
  assert.equal(await serve("new"), undefined);
  const { message, earliest } = describeExhaustion(pool.absences("new"), clock.now());
  assert.match(message, /a does not have this model; b at its limit until .*; c does not have/);
  assert.equal(earliest, clock.now() + 3_600_000);
});
