import assert from "node:assert/strict";
import type { Account } from "../../src/account/account.ts";
import { type Settings, STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { accountSubject, type Block, workspaceSubject } from "../../src/quota/block.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../../src/quota/window.ts";
import { AffinityMap } from "../../src/rotation/affinity.ts";
import { Pool } from "../../src/rotation/pool.ts";
import { MemoryStore, testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";

const HOUR = 3_600_000;

async function poolOf(
  accounts: Account[],
  { random = 0.5, ...settings }: Partial<Settings> & { random?: number } = {},
) {
  const clock = new VirtualClock();
  const store = new MemoryStore(clock, accounts);
  const make = async () => {
    const pool = new Pool({
      store,
      clock,
      random: () => random,
      settings: () => ({ ...STANDARD_SETTINGS, ...settings }),
    });
    await pool.refresh();
    return pool;
  };
  return { clock, store, make, pool: await make() };
}

const serve = async (
  pool: Pool,
  session?: string,
  more: { model?: string; parent?: string } = {},
) => (await pool.choose({ session, ...more }, new Map()))?.account.alias;

const three = () => ["a", "b", "c"].map((alias) => testAccount(alias));

const limit = (since: number, until: number, fields: Partial<Block> = {}): Block => ({
  subject: accountSubject("id-a"),
  model: "",
  reason: "usage limit",
  until,
  since,
  source: "body",
  ...fields,
});

const window = (usedPercent: number, observedAt: number, bucket = PLAN_BUCKET): QuotaWindow => ({
  bucket,
  minutes: 300,
  usedPercent,
  observedAt,
  resetsAt: observedAt + HOUR,
});

Deno.test("a sub-agent begins on its parent's account after a restart too", async () => {
  const { pool, make } = await poolOf(three());
  await serve(pool, "x");
  assert.equal(await serve(pool, "parent"), "b");
  assert.equal(await serve(await make(), "child", { parent: "parent" }), "b");
});

Deno.test("who is active and where the round stands is noted when it changes, and taken up again", async () => {
  const { pool, store, make } = await poolOf(three());
  const turns: object[] = [];
  const setTurn = store.setTurn.bind(store);
  store.setTurn = (turn) => {
    turns.push(turn);
    setTurn(turn);
  };
  for (const session of ["s", "s", "s"]) await serve(pool, session);
  assert.deepEqual(turns, [{ turnId: "id-a" }, { activeId: "id-a" }]);
  turns.length = 0;
  const again = await make();
  assert.equal(await serve(again, "t"), "b", "the round goes on");
  assert.equal(await serve(again, "s"), "a");
  assert.deepEqual(turns, [{ turnId: "id-b" }, { activeId: "id-b" }, { activeId: "id-a" }]);
  turns.length = 0;
  await serve(await make(), "s");
  assert.deepEqual(turns, [], "the active account is known from the store");
});

Deno.test("figures that say something new are noted, others are not", async () => {
  const { pool, store, clock } = await poolOf(three());
  await pool.observe("id-a", []);
  await pool.observe("id-a", [window(40, clock.now())]);
  await pool.observe("id-a", [window(30, clock.now() - 1)]);
  assert.deepEqual(store.observations.map((one) => one.windows?.[0]?.usedPercent), [40]);
});

Deno.test("a model's own bucket at 100 % neither blocks the account nor lifts its block", async () => {
  const { pool, clock } = await poolOf(three());
  await pool.observe("id-a", [window(100, clock.now(), "codex_spark")]);
  assert.deepEqual(pool.limits(pool.accounts[0]!), []);
  await pool.block(limit(clock.now(), clock.now() + HOUR));
  await pool.observe("id-a", [window(10, clock.now() + 1, "codex_spark")]);
  assert.equal(pool.limits(pool.accounts[0]!).length, 1);
});

Deno.test("a block with older evidence than the one in force changes nothing, until that one has ended", async () => {
  const { pool, clock } = await poolOf(three());
  const now = clock.now();
  const until = () => pool.limits(pool.accounts[0]!)[0]?.until;
  await pool.block(limit(now, now + HOUR));
  await pool.block(limit(now - 1, now + 2 * HOUR));
  assert.equal(until(), now + HOUR);
  await pool.block(limit(now, now + 3 * HOUR));
  assert.equal(until(), now + 3 * HOUR, "as new as the other: the last word counts");
  clock.jump(now + 3 * HOUR);
  await pool.block(limit(now - 1, now + 4 * HOUR));
  assert.equal(until(), now + 4 * HOUR);
});

Deno.test("neither a guess nor a throttle cuts a limit, and a guess that lasts longer counts", async () => {
  const { pool, clock } = await poolOf(three());
  const now = clock.now();
  const ends = () => pool.limits(pool.accounts[0]!).map(({ until, source }) => [until, source]);
  await pool.block(limit(now, now + HOUR));
  const guess = (until: number, fields: Partial<Block> = {}) =>
    pool.block(limit(now + 1, until, { source: "guess", ...fields }));
  await guess(now + HOUR - 1);
  await guess(now + 1_500, { reason: "rate limit" });
  const throttle = { reason: "rate limit", source: "retry-after" } as const;
  await pool.block(limit(now + 1, now + 10_000, throttle));
  assert.deepEqual(ends(), [[now + HOUR, "body"]]);
  await guess(now + HOUR + 1);
  assert.deepEqual(ends(), [[now + HOUR + 1, "guess"]]);
  await pool.block(limit(now + 1, now + 10_000));
  assert.deepEqual(ends(), [[now + 10_000, "body"]], "what the backend says replaces a guess");
});

Deno.test("evidence as old as the block does not lift it", async () => {
  const { pool, clock } = await poolOf(three());
  const scope = { subject: accountSubject("id-a"), model: "" };
  await pool.block(limit(clock.now(), clock.now() + HOUR));
  await pool.lift(scope, clock.now());
  assert.equal(pool.limits(pool.accounts[0]!).length, 1);
  await pool.lift(scope, clock.now() + 1);
  assert.equal(pool.limits(pool.accounts[0]!).length, 0);
});

Deno.test("a block that another process has lifted is gone here as well", async () => {
  const { pool, store, clock } = await poolOf([testAccount("a")]);
  const block = limit(clock.now(), clock.now() + HOUR);
  await pool.block(block);
  await store.unblock(block);
  store.touch();
  await pool.refresh();
  assert.equal(await serve(pool, "s"), "a");
});

Deno.test("uses that another process counted steer least-used", async () => {
  const { pool, store, clock } = await poolOf(three(), { strategy: "least-used" });
  for (const alias of ["a", "b"]) {
    store.observe({ accountId: `id-${alias}`, uses: 3, usedAt: clock.now() });
  }
  store.touch();
  await pool.refresh();
  assert.equal(await serve(pool, "s"), "c");
});

Deno.test("a workspace's limit on one model holds back that model on all its seats", async () => {
  const seat = (alias: string) =>
    testAccount(alias, { identity: { workspaceId: "w", userId: `user-${alias}` } });
  const { pool, clock } = await poolOf([seat("a"), testAccount("b")]);
  const subject = workspaceSubject("w");
  await pool.block(limit(clock.now(), clock.now() + HOUR, { subject, model: "spark" }));
  assert.equal(await serve(pool, "s", { model: "spark" }), "b");
  assert.equal(await serve(pool, "t", { model: "gpt-5.5" }), "a");
});

Deno.test("of several blocks the one that ends last is named", async () => {
  const { pool, clock } = await poolOf([testAccount("a")]);
  const now = clock.now();
  for (const [model, hours] of [["", 1], ["spark", 3]] as const) {
    await pool.block(limit(now, now + hours * HOUR, { model }));
  }
  const until = (model: string) => {
    const [absence] = pool.absences(model);
    return absence?.hindrance?.kind === "blocked" ? absence.hindrance.block.until : undefined;
  };
  assert.equal(until("spark"), now + 3 * HOUR);
  assert.equal(until("other"), now + HOUR);
});

Deno.test("an account without an identity can serve while workspaces are blocked", async () => {
  const { identity: _, ...bare } = testAccount("a");
  const { pool, clock } = await poolOf([bare, testAccount("b")]);
  const subject = workspaceSubject("ws-b");
  await pool.block(limit(clock.now(), clock.now() + HOUR, { subject }));
  assert.equal(await serve(pool, "s"), "a");
});

Deno.test("of an account of the same generation the newer description counts", async () => {
  const { pool } = await poolOf([testAccount("a")]);
  pool.replace(testAccount("a", { notes: "new" }));
  assert.equal(pool.account("id-a")?.notes, "new");
  pool.replace(testAccount("a", { notes: "old", generation: 0 }));
  assert.equal(pool.account("id-a")?.notes, "new");
  pool.replace(testAccount("z"));
  assert.equal(pool.accounts.length, 1, "one that is not here does not come in");
});

Deno.test("tokens that could not be saved yet are not lost to a reading of the store", async () => {
  const { pool, store } = await poolOf([testAccount("a")]);
  pool.replace(testAccount("a", { generation: 2 }));
  store.touch();
  await pool.refresh();
  assert.equal(pool.account("id-a")?.generation, 2);
});

Deno.test("an account that was removed and added again is the new one, whose generations begin anew", async () => {
  const { pool, store } = await poolOf([testAccount("a", { generation: 5, addedAt: 1 })]);
  const again = testAccount("a", { generation: 1, addedAt: 2 });
  store.accounts = [again];
  store.touch();
  await pool.refresh();
  assert.deepEqual(pool.account("id-a"), again);
  const renewed = { ...again, generation: 2 };
  pool.replace(renewed);
  assert.deepEqual(pool.account("id-a"), renewed);
});

Deno.test("random draws evenly, weighted by weight, names of Object's own included", async () => {
  const names = ["a", "b", "constructor"].map((alias) => testAccount(alias));
  const drawn = async (settings: Parameters<typeof poolOf>[1]) =>
    await serve((await poolOf(names, settings)).pool, "s");
  const random = [];
  for (const value of [0, 0.34, 0.99]) {
    random.push(await drawn({ strategy: "random", random: value }));
  }
  assert.deepEqual(random, ["a", "b", "constructor"]);
  const weighted = [];
  for (const value of [0.19, 0.21, 0.79, 0.81]) {
    weighted.push(await drawn({ strategy: "weighted", weights: { b: 3 }, random: value }));
  }
  assert.deepEqual(weighted, ["a", "b", "b", "constructor"]);
  const nothing = { a: 0, b: 0, constructor: 0 };
  assert.equal(await drawn({ strategy: "weighted", weights: nothing }), "a", "in turn, then");
});

Deno.test("affinity is written when it changes and once a minute, and asked for once", async () => {
  const clock = new VirtualClock();
  const store = new MemoryStore(clock);
  const written: string[] = [];
  store.setAffinity = ({ session, accountId }) => written.push(`${session} ${accountId}`);
  let asked = 0;
  const answer = Promise.withResolvers<undefined>();
  store.affinity = () => {
    asked++;
    return answer.promise;
  };
  const map = new AffinityMap(store, clock);
  const waiting = [map.recall("s"), map.recall("s")];
  answer.resolve(undefined);
  await Promise.all(waiting);
  assert.equal(asked, 1);
  map.set("s", "a");
  await map.recall("s");
  assert.equal(asked, 1, "what is known is not asked for");
  clock.jump(clock.now() + 59_999);
  map.set("s", "a");
  assert.deepEqual(written, ["s a"]);
  clock.jump(clock.now() + 1);
  map.set("s", "a");
  map.set("s", "b");
  assert.deepEqual(written, ["s a", "s a", "s b"]);
});

Deno.test("20,000 sessions are held in memory, the longest unused go first", () => {
  const clock = new VirtualClock();
  const map = new AffinityMap(new MemoryStore(clock), clock);
  for (let n = 0; n < 20_000; n++) map.set(`s${n}`, "a");
  clock.jump(clock.now() + 60_000);
  map.set("s0", "a");
  map.set("new", "a");
  assert.equal(map.get("s0"), "a");
  assert.equal(map.get("s1"), undefined);
  assert.equal(map.get("s2"), "a");
});
