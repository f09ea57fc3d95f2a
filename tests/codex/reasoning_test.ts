import assert from "node:assert/strict";
import { ForeignReasoning } from "../../src/codex/foreign_reasoning.ts";
import { prepareBody } from "../../src/codex/prepared_body.ts";
import { silentLog } from "../../src/platform/log.ts";
import { Failover, failure, stream, turn } from "./failover.ts";

const TWO_HOURS = 2 * 3_600_000;

interface Reasoning {
  type: "reasoning";
  encrypted_content: string;
  summary: never[];
}

function mintedBy(who: string): Reasoning {
  return { type: "reasoning", encrypted_content: `gAAAA-${who}`, summary: [] };
}

const [a1, a2, b1, c1] = ["a1", "a2", "b1", "c1"].map(mintedBy) as [
  Reasoning,
  Reasoning,
  Reasoning,
  Reasoning,
];

/** Sends a turn that carries this reasoning and tells what arrived where. */
async function carry(pool: Failover, items: Reasoning[], session = "s"): Promise<string> {
  const message = { role: "user", content: "hi" };
  const answer = await pool.ask(turn(session, { input: [message, ...items] }));
  assert.equal(answer.status, 200);
  return arrived(pool);
}

/** `<alias>: <items>` of the last request. */
function arrived(pool: Failover, index = -1): string {
  const seen = pool.seen.at(index);
  const { input } = JSON.parse(seen?.body ?? "{}") as { input: Partial<Reasoning>[] };
  const items = input.filter((item) => item.type === "reasoning")
    .map((item) => item.encrypted_content?.replace("gAAAA-", ""));
  assert.equal(input.length, items.length + 1, "everything else stays");
  return `${seen?.alias}: ${items.join(" ")}`;
}

Deno.test("a session that goes A -> B -> A finds A's reasoning again and never shows B's there", async () => {
  const pool = new Failover(["a", "b"]);
  assert.equal(await carry(pool, []), "a: ");
  pool.on("a", failure("429_resets_in_seconds_only"));
  assert.equal(await carry(pool, [a1]), "b: ");
  assert.equal(await carry(pool, [a1, b1]), "b: b1");
  pool.clock.jump(pool.clock.now() + TWO_HOURS + 1);
  pool.on("a").on("b", failure("429_resets_in_seconds_only"));
  assert.equal(await carry(pool, [a1, b1]), "a: a1");
  assert.equal(await carry(pool, [a1, b1, a2]), "a: a1 a2");
});

Deno.test("a request that passes two accounts credits its reasoning to the one the session was on", async () => {
  const pool = new Failover();
  await carry(pool, []);
  pool.on("a", failure("429_resets_in_seconds_only")).on("b", failure("503_overloaded"));
  assert.equal(await carry(pool, [a1]), "c: ");
  pool.on("a").on("b").on("c", failure("429_resets_in_seconds_only"));
  pool.clock.jump(pool.clock.now() + TWO_HOURS + 1);
  assert.equal(await carry(pool, [a1, c1]), "a: a1");
});

Deno.test("an account that was chosen and never asked is credited with nothing", async () => {
  const pool = new Failover(["a", "b", "c"], {}, (account) => ({
    ...account,
    credentials: {
      ...account.credentials,
      expiresAt: account.alias === "b" ? 0 : account.credentials.expiresAt,
    },
  }));
  pool.refreshAnswer = () => ({ kind: "transient", code: "http_503" });
  await carry(pool, []);
  pool.on("a", failure("429_resets_in_seconds_only"));
  assert.equal(await carry(pool, [a1]), "c: ");
  pool.on("a").on("c", failure("429_resets_in_seconds_only"));
  pool.clock.jump(pool.clock.now() + TWO_HOURS + 1);
  assert.equal(await carry(pool, [a1, c1]), "a: a1");
});

Deno.test("rotation by request keeps for each account what it minted", async () => {
  const pool = new Failover(["a", "b"], { rotate: "request" });
  assert.equal(await carry(pool, []), "a: ");
  assert.equal(await carry(pool, [a1]), "b: ");
  assert.equal(await carry(pool, [a1, b1]), "a: a1");
  assert.equal(await carry(pool, [a1, b1, a2]), "b: b1");
});

Deno.test("a session that never moves goes out as the very same body", async () => {
  const pool = new Failover();
  const init = turn("s", { input: [a1] });
  await pool.ask(init);
  await pool.ask(init);
  assert.deepEqual(pool.seen.map((one) => one.rawBody === init.body), [true, true]);
});

Deno.test("after a restart a moved session loses only foreign reasoning, and is not refused first", async () => {
  const pool = new Failover(["a", "b"]);
  await carry(pool, []);
  pool.on("a", failure("429_resets_in_seconds_only"));
  assert.equal(await carry(pool, [a1]), "b: ");
  const again = pool.restarted();
  const b2 = mintedBy("b2");
  assert.equal(await carry(again, [a1, b1]), "b: b1");
  assert.equal(await carry(again.restarted(), [a1, b1, b2]), "b: b1 b2");
  // Back where it began, in a third process: what that account minted is known too.
  const third = pool.restarted();
  third.clock.jump(third.clock.now() + TWO_HOURS + 1);
  third.on("b", failure("429_resets_in_seconds_only"));
  assert.equal(await carry(third, [a1, b1, b2]), "a: a1");
});

Deno.test("a session that never moves never asks who minted what", async () => {
  const pool = new Failover();
  await carry(pool, [a1]);
  await carry(pool.restarted(), [a1, a2]);
  assert.equal(pool.store.mintQuestions, 0);
  assert.equal(pool.store.minters.size, 0);
});

Deno.test("a store that cannot say who minted what costs a refusal, not the answer", async () => {
  const pool = new Failover(["a", "b"]);
  await carry(pool, []);
  pool.on("a", failure("429_resets_in_seconds_only"));
  await carry(pool, [a1]);
  const again = pool.restarted();
  again.store.failing = new Error("disk full");
  again.on("b", failure("400_invalid_encrypted_content"), stream("ok"));
  assert.equal(await carry(again, [a1]), "b: ");
  assert.equal(again.order, "b b");
});

Deno.test("a session of whose move nothing is known is refused once, then goes on", async () => {
  const pool = new Failover();
  pool.store.setAffinity({ session: "s", accountId: "id-b", at: 0 });
  pool.on("b", failure("400_invalid_encrypted_content"), stream("ok"));
  const b2 = mintedBy("b2");
  assert.equal(await carry(pool, [a1, b1]), "b: ");
  assert.equal(pool.order, "b b");
  assert.equal(await carry(pool, [a1, b1, b2]), "b: b2");
  assert.equal(pool.order, "b b b", "no second refusal");
  const again = pool.restarted();
  assert.equal(await carry(again, [a1, b1, b2]), "b: b2");
  assert.equal(again.order, "b", "nor one after a restart");
});

Deno.test("a refusal drops only what another account minted, where that is known", async () => {
  const pool = new Failover(["a", "b"]);
  await carry(pool, []);
  pool.on("a", failure("429_resets_in_seconds_only"));
  await carry(pool, [a1]);
  await carry(pool, [a1, b1]);
  // A copy of the conversation under a new name, as OpenCode's fork makes it.
  pool.on("b", failure("400_invalid_encrypted_content"), stream("ok"));
  assert.equal(await carry(pool, [a1, b1], "copy"), "b: b1");
  assert.equal(arrived(pool, -2), "b: a1 b1");
});

Deno.test("where all that was shown was taken for the account's own, a refusal drops it all", async () => {
  for (const session of ["s", "copy"]) {
    const pool = new Failover(["a", "b"]);
    await carry(pool, []);
    pool.on("a", failure("429_resets_in_seconds_only"));
    await carry(pool, [a1]);
    await carry(pool, [a1, b1]);
    pool.on("b", failure("400_invalid_encrypted_content"), stream("ok"));
    assert.equal(await carry(pool, [b1], session), "b: ");
    assert.equal(arrived(pool, -2), "b: b1");
    if (session === "s") assert.equal(await carry(pool, [b1, mintedBy("b2")]), "b: b2");
  }
});

Deno.test("reasoning is refused at most once in a request", async () => {
  const pool = new Failover().on("a", failure("400_invalid_encrypted_content"));
  const answer = await pool.ask(turn("s", { input: [a1] }));
  assert.equal(answer.status, 400);
  assert.equal(pool.order, "a a");
});

Deno.test("20,000 items are remembered in memory, the oldest are asked for again", async () => {
  const asked: string[][] = [];
  const store = {
    mints: (hashes: readonly string[]) => {
      asked.push([...hashes]);
      return Promise.resolve(new Map<string, string>());
    },
    setMint: () => {},
  };
  const reasoning = new ForeignReasoning(store, silentLog);
  const items = Array.from({ length: 20_001 }, (_, n) => mintedBy(`${n}`));
  const bodyOf = (input: Reasoning[]) => {
    const body = prepareBody(JSON.stringify({ input, stream: true, store: false }), "/x", false);
    assert.ok(body);
    return body;
  };
  await reasoning.readable(bodyOf(items), "b", "a");
  assert.deepEqual(asked.map((hashes) => hashes.length), [20_001]);
  const left = await reasoning.readable(bodyOf([items[1]!, items[20_000]!, items[0]!]), "b", "b");
  assert.deepEqual(asked.map((hashes) => hashes.length), [20_001, 1]);
  const { input } = JSON.parse(String(left)) as { input: Reasoning[] };
  assert.deepEqual(input, [items[0]], "forgotten, so it counts as minted where the session is");
});
