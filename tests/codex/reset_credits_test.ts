import assert from "node:assert/strict";
import { fetchResetCredits } from "../../src/codex/reset_credits.ts";
import { findExpiring } from "../../src/opencode/expiring.ts";
import type { Environment } from "../../src/platform/paths.ts";
import { readPlanExtras } from "../../src/store/plan_extras.ts";
import { testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";
import { ask, onStage, type Stage } from "./discovery_stage.ts";

const HOUR = 3_600_000;
const WANTED = { OPENCODE_MULTI_AUTH_NOTIFY_ABOUT: "expiring" };

/** Runs a test with an account that has a credit for the next three hours, and a list of models that is known. */
function withCredit(test: (stage: Stage, asked: () => number) => Promise<void>, env: Environment) {
  const expires_at = Math.round((Date.now() + 3 * HOUR) / 1_000);
  const credit = (id: string, status: string) => ({ id, status, expires_at });
  const resetCredits = [credit("c1", "available"), credit("c2", "redeemed")];
  return onStage([{ name: "a", resetCredits }], async (stage) => {
    await ask(await stage.client(), "s");
    await stage.answered(1);
    const path = "/wham/rate-limit-reset-credits";
    await test(
      stage,
      () => stage.simulator.requests.filter((one) => one.path.endsWith(path)).length,
    );
  }, env);
}

Deno.test("who wants to hear of reset credits has them asked for, and hears of one that expires", () =>
  withCredit(async (stage, asked) => {
    const store = await stage.store();
    // The question is under way, and no clock holds it.
    const end = performance.now() + 60_000;
    while ((await readPlanExtras(store)).size === 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(asked(), 1);
    const [extras] = (await readPlanExtras(store)).values();
    assert.equal(extras?.resetCredits, 1);
    const found = await findExpiring(store, stage.clock.now());
    assert.equal(found.length, 1);
    assert.match(
      found[0]?.news.body ?? "",
      /^a: a reset credit expires unused .*\(in (?:2h 5\dm|3h)\)$/,
    );
    assert.match(found[0]?.key ?? "", /credit c1$/);
  }, WANTED));

for (const env of [{}, { ...WANTED, OPENCODE_MULTI_AUTH_NOTIFY: "0" }]) {
  Deno.test(`who does not has nobody asked: ${JSON.stringify(env)}`, () =>
    withCredit((_stage, asked) => Promise.resolve(assert.equal(asked(), 0)), env));
}

Deno.test("an answer that holds no list says nothing", async () => {
  const clock = new VirtualClock();
  const answers = [
    new Response("no", { status: 404 }),
    new Response("<html>"),
    Response.json({ credits: null, available_count: 1 }),
    Promise.reject(new Error("no network")),
  ];
  for (const answer of answers) {
    const fetch = () => Promise.resolve(answer);
    const { signal } = new AbortController();
    const options = { fetch, backend: "https://backend.example", clock, signal };
    assert.equal(await fetchResetCredits(testAccount("a"), options), undefined);
  }
  assert.equal(clock.pending, 0);
});
