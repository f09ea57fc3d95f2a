import assert from "node:assert/strict";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { type ListedModel, saveModelList } from "../../src/store/models.ts";
import { testAccount } from "../memory_store.ts";
import { type Session, withSession } from "./session.ts";

/** A store with two accounts that have answered, and whose models are known. */
async function prepare(session: Session): Promise<void> {
  const env = { HOME: session.home };
  const store = await openLocalStore({ paths: resolvePaths(env), env, clock: session.clock });
  const listed = (slug: string, priority: number): ListedModel => ({
    slug,
    name: slug,
    hidden: false,
    priority,
    context: 272_000,
    efforts: ["low", "xhigh"],
    inputs: [],
  });
  const lists = { personal: ["gpt-5.5"], work: ["gpt-5.5", "gpt-5.3-codex-spark"] };
  for (const [alias, slugs] of Object.entries(lists)) {
    await store.add(testAccount(alias));
    const models = slugs.map(listed);
    await saveModelList(store, `id-${alias}`, { at: session.clock.now(), etag: "", models });
    store.observe({
      accountId: `id-${alias}`,
      tokens: {
        input: 1_234_567,
        cached: 1_150_000,
        output: 40_400,
        reasoning: 12_000,
        model: "gpt-5.5",
        day: "2026-11-23",
      },
    });
  }
  await store.close();
}

const EXPECTED = {
  usage: `
Tokens of the last 7 days (2026-11-17 to
2026-11-23)

  personal, gpt-5.5
    in 1.23M, cached 93%, out 40.4k,
    reasoning 12k, answers 1
  work, gpt-5.5
    in 1.23M, cached 93%, out 40.4k,
    reasoning 12k, answers 1
  Total
    in 2.47M, cached 93%, out 80.8k,
    reasoning 24k, answers 2

`,
  models: `
  personal (listed now)
    gpt-5.5
      272k, low to xhigh

  work (listed now)
    gpt-5.5
      272k, low to xhigh
    gpt-5.3-codex-spark
      272k, low to xhigh, not every
      account

`,
};

for (const [command, expected] of Object.entries(EXPECTED)) {
  Deno.test(`${command} stacks what has no room at 40 columns, and stays a table where it fits`, () =>
    withSession(async (session) => {
      await prepare(session);
      assert.equal((await session.runWith({ columns: 40 }, command)).out, expected);
      const wide = (await session.run(command)).out;
      const widest = Math.max(...wide.split("\n").map((line) => line.length));
      assert.ok(widest < 80, wide);
      assert.equal((await session.runWith({ columns: widest }, command)).out, wide);
      assert.notEqual((await session.runWith({ columns: widest - 1 }, command)).out, wide);
    }));
}
