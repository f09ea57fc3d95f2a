import assert from "node:assert/strict";
import type { Account } from "../../src/account/account.ts";
import { knownModels } from "../../src/codex/known_models.ts";
import { silentLog } from "../../src/platform/log.ts";
import { STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { accountSubject, type Block, type BlockReason } from "../../src/quota/block.ts";
import { Pool } from "../../src/rotation/pool.ts";
import type { ListedModel } from "../../src/store/models.ts";
import { saveModelList } from "../../src/store/models.ts";
import { ask, onStage, type Stage } from "./discovery_stage.ts";

function listed(slug: string, priority: number): ListedModel {
  return { slug, name: slug, hidden: false, priority, context: 0, efforts: [], inputs: [] };
}

/** Has the lists known, as an earlier process would have learned them. */
async function know(stage: Stage, lists: Record<string, string[]>) {
  const store = await stage.store();
  const { accounts } = await store.load();
  for (const { id, alias } of accounts) {
    const models = lists[alias]?.map(listed);
    if (models) await saveModelList(store, id, { at: stage.clock.now(), etag: "", models });
  }
  return { store, accounts };
}

/** The models that the backend was asked for, with who was asked. */
function asked({ simulator }: Stage): string[] {
  return simulator.requests.filter((one) => one.path.endsWith("/codex/responses"))
    .map(({ plan, body }) => `${plan} ${JSON.parse(String(body)).model}`);
}

const OUT: Record<string, (account: Account) => Account> = {
  disabled: (account) => ({ ...account, enabled: false }),
  "set aside": (account) => ({ ...account, setAside: { at: 0, reason: "needs login" } }),
};

for (const [how, change] of Object.entries(OUT)) {
  Deno.test(`the list of an account that is ${how} says nothing about the latest Codex model`, () =>
    onStage([
      { name: "a", models: ["gpt-5.5"] },
      { name: "b", models: ["gpt-5.5", "gpt-5.3-codex"] },
    ], async (stage) => {
      const lists = { a: ["gpt-5.5"], b: ["gpt-5.5", "gpt-5.3-codex"] };
      const { store, accounts } = await know(stage, lists);
      await store.edit(accounts.find(({ alias }) => alias === "b")!.id, change);
      // Already at the first request of a process.
      assert.equal(await ask(await stage.client(), "s", "gpt-5.2-codex"), "a");
      assert.deepEqual(asked(stage), ["a gpt-5.5"]);
    }));
}

function blockOf(account: Account | undefined, reason: BlockReason, now: number): Block {
  const subject = accountSubject(account!.id);
  return { subject, model: "", reason, until: now + 9_000, since: now, source: "body" };
}

Deno.test("while who has the latest Codex model is at a limit, another account serves what it has", () =>
  onStage([
    { name: "a", models: ["gpt-5.5"] },
    { name: "b", models: ["gpt-5.5", "gpt-5.3-codex"] },
  ], async (stage) => {
    const lists = { a: ["gpt-5.5"], b: ["gpt-5.5", "gpt-5.3-codex"] };
    const { store, accounts } = await know(stage, lists);
    await store.block(blockOf(accounts[1], "usage limit", stage.clock.now()));
    assert.equal(await ask(await stage.client(), "s", "gpt-5.2-codex"), "a");
    assert.deepEqual(asked(stage), ["a gpt-5.5"]);
  }));

Deno.test("a moment's throttle takes no account's list away, nor do limits of all", () =>
  onStage([{ name: "a" }, { name: "b" }], async (stage) => {
    const { store, accounts } = await know(stage, { a: ["gpt-5.5"], b: ["gpt-5.3-codex"] });
    const { clock } = stage;
    const settings = () => STANDARD_SETTINGS;
    const pool = new Pool({ store, clock, random: () => 0.5, settings });
    const known = knownModels({ store, pool, clock, log: silentLog });
    const first = known.touch();
    assert.equal(known.touch(), first, "a second request waits as well");
    await first;
    assert.equal(known.touch(), undefined);
    const slugs = () => known.serving().flatMap(({ models }) => models.map(({ slug }) => slug));
    await pool.block(blockOf(accounts[1], "rate limit", clock.now()));
    assert.deepEqual(slugs(), ["gpt-5.5", "gpt-5.3-codex"]);
    await pool.block(blockOf(accounts[1], "workspace limit", clock.now() + 1));
    assert.deepEqual(slugs(), ["gpt-5.5"]);
    await pool.block(blockOf(accounts[0], "usage limit", clock.now() + 1));
    assert.deepEqual(slugs(), ["gpt-5.5", "gpt-5.3-codex"], "whoever comes back first");
  }));

Deno.test("where the latest Codex model is gone, the one asked for goes out as long as somebody has it", () =>
  onStage([{ name: "a", models: ["gpt-5.5", "gpt-5.2-codex"] }], async (stage) => {
    await know(stage, { a: ["gpt-5.5", "gpt-5.2-codex"] });
    const client = await stage.client();
    assert.equal(await ask(client, "s", "gpt-5.2-codex"), "a");
    assert.equal(await ask(client, "s", "openai/gpt-5.2-codex-high"), "a");
    assert.equal(await ask(client, "s", "gpt-5-codex"), "a");
    assert.deepEqual(asked(stage), ["a gpt-5.2-codex", "a gpt-5.2-codex", "a gpt-5.5"]);
  }));

Deno.test("a latest Codex model that every account has refused gives way to the one asked for", () =>
  onStage(
    [
      { name: "a", models: ["gpt-5.2-codex"] },
      { name: "b", models: ["gpt-5.2-codex"] },
      { name: "off", models: ["gpt-9-codex"] },
    ],
    async (stage) => {
      const { store, accounts } = await know(stage, {});
      await store.edit(accounts.find(({ alias }) => alias === "off")!.id, OUT["disabled"]!);
      const client = await stage.client();
      assert.equal(
        await ask(client, "s", "gpt-5.2-codex"),
        "403",
        "the person's own word is tried",
      );
      assert.match(await ask(client, "s", "gpt-5.2-codex"), /^[ab]$/);
      const models = asked(stage).map((one) => one.split(" ")[1]);
      assert.deepEqual(models, ["gpt-9-codex", "gpt-9-codex", "gpt-5.2-codex"]);
    },
    { OPENCODE_MULTI_AUTH_CODEX_LATEST_MODEL: "gpt-9-codex" },
  ));
