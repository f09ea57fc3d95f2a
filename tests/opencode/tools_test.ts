import assert from "node:assert/strict";
import type { Client } from "../../src/codex/client.ts";
import type { HostConfig } from "../../src/opencode/host.ts";
import { accountTools, addCommands } from "../../src/opencode/tools.ts";
import { silentLog } from "../../src/platform/log.ts";
import { STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { accountSubject } from "../../src/quota/block.ts";
import { PLAN_BUCKET } from "../../src/quota/window.ts";
import { Pool } from "../../src/rotation/pool.ts";
import { MemoryStore, testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";

const HOUR = 3_600_000;

async function toolsOf(aliases: readonly string[]) {
  const clock = new VirtualClock();
  const accounts = aliases.map((alias) =>
    testAccount(alias, { email: `${alias}@secret.example`, plan: "plus" })
  );
  const store = new MemoryStore(clock, accounts);
  const settings = () => STANDARD_SETTINGS;
  const pool = new Pool({ store, clock, random: () => 0.5, settings });
  await pool.refresh();
  const client = { store, pool } as unknown as Client;
  const tools = accountTools({
    open: () => Promise.resolve(client),
    now: () => clock.now(),
    log: silentLog,
  });
  return {
    clock,
    pool,
    store,
    accounts: (session = "s") => tools["accounts"]!.execute({}, { sessionID: session }),
    pin: (args: unknown) => tools["pin"]!.execute(args),
    serve: async (session: string) => (await pool.choose({ session }, new Map()))?.account.alias,
  };
}

Deno.test("accounts tells who serves this session, what is left and when it comes back", async () => {
  const { accounts, serve, pool, store, clock } = await toolsOf(["a", "b"]);
  assert.equal(await serve("s"), "a");
  assert.equal(await serve("t"), "b");
  const window = { bucket: PLAN_BUCKET, observedAt: clock.now() };
  await pool.observe("id-a", [
    { ...window, minutes: 300, usedPercent: 40.4, resetsAt: clock.now() + 2 * HOUR },
    { ...window, minutes: 10_080, usedPercent: 5, resetsAt: null },
  ]);
  await pool.block({
    subject: accountSubject("id-b"),
    model: "",
    reason: "usage limit",
    until: clock.now() + HOUR,
    since: clock.now(),
    source: "body",
  });
  await store.flush();
  const lines = (await accounts("s")).split("\n");
  assert.equal(lines[0], "This session is served by: a");
  assert.match(
    lines[1] ?? "",
    /^- a \(plus\), serves this session: 5h 60% left, resets .+ \(in 2h\); week 95% left$/,
  );
  assert.match(lines[2] ?? "", /^- b \(plus\): usage limit until .+ \(in 1h\)$/);
  assert.match(await accounts("t"), /served by: b/);
  // What a shared session must not show.
  assert.doesNotMatch(await accounts(), /secret\.example|access-|refresh-/);
});

Deno.test("accounts says how to begin where there is no account", async () => {
  const { accounts } = await toolsOf([]);
  assert.match(await accounts(), /opencode-multi-auth add/);
});

Deno.test("pin takes every session from the next request on, and unpin ends it", async () => {
  const { pin, serve, accounts, store } = await toolsOf(["a", "b"]);
  assert.equal(await serve("s"), "a");
  assert.match(await pin({ account: "b", for: "" }), /^Pinned: b serves everything it can until/);
  assert.equal(await serve("s"), "b");
  assert.match(await accounts("s"), /Pinned: b until it is unpinned/);
  assert.deepEqual((await store.load()).pin, { accountId: "id-b", until: null });
  assert.match(await pin({ account: "none", for: "" }), /^Unpinned/);
  assert.equal((await store.load()).pin, null);
  assert.equal(await pin({}), "No account was pinned.");
});

Deno.test("a pin for a while ends by itself", async () => {
  const { pin, serve, clock, store } = await toolsOf(["a", "b"]);
  assert.match(await pin({ account: "b", for: "2h" }), /until .+ \(in 2h\), from the next request/);
  assert.equal((await store.load()).pin?.until, clock.now() + 2 * HOUR);
  assert.equal(await serve("1"), "b");
  clock.jump(clock.now() + 2 * HOUR);
  assert.equal(await serve("2"), "a");
});

Deno.test("a pin that cannot be changes nothing and says why", async () => {
  const { pin, store, pool } = await toolsOf(["a", "b"]);
  await store.edit("id-b", (account) => ({ ...account, enabled: false }));
  await pool.refresh();
  for (
    const [args, said] of [
      [{ account: "zoe", for: "" }, /no account "zoe"\. Accounts: a, b\./],
      [{ account: "a", for: "soon" }, /"soon" is not a span/],
      [{ account: "b", for: "" }, /b cannot serve \(disabled\)/],
    ] as const
  ) {
    const answer = await pin(args);
    assert.match(answer, /^Nothing was changed: /);
    assert.match(answer, said);
  }
  assert.equal((await store.load()).pin, null);
});

Deno.test("a tool that fails answers, and does not throw", async () => {
  const tools = accountTools({
    open: () => Promise.reject(new Error("the disk\nis gone")),
    now: () => 0,
    log: silentLog,
  });
  for (const tool of Object.values(tools)) {
    assert.equal(await tool.execute({}), "That failed: the disk is gone");
  }
});

Deno.test("each tool has a slash command, and the person's own commands stay", () => {
  const tools = accountTools({ open: () => Promise.reject(), now: () => 0, log: silentLog });
  const mine = { template: "mine" };
  const config: HostConfig = { command: { pin: mine } };
  addCommands(config);
  assert.deepEqual(Object.keys(config.command ?? {}).sort(), Object.keys(tools).sort());
  assert.equal(config.command?.["pin"], mine);
  assert.match(config.command?.["accounts"]?.template ?? "", /tool `accounts`/);
});
