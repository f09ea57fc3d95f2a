import assert from "node:assert/strict";
import type { Context } from "../../src/cli/context.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../simulated_account.ts";
import { type Simulator, startSimulator } from "../simulator/simulator.ts";
import { type Session, withSession } from "./session.ts";

interface Stage {
  readonly session: Session;
  readonly simulator: Simulator;
  run(...argv: string[]): ReturnType<Session["run"]>;
  /** Plans that were asked, with what they answered. */
  asked(): string[];
}

async function onStage(use: (stage: Stage) => Promise<void>): Promise<void> {
  await withSession(async (session) => {
    await using simulator = await startSimulator();
    const env = {
      HOME: session.home,
      OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
      OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    };
    const store = await openLocalStore({ paths: resolvePaths(env), env });
    await storePlan(store, simulator.addPlan({ name: "personal", models: ["gpt-5.5"] }));
    await storePlan(store, simulator.addPlan({ name: "work", models: ["gpt-5.5", "gpt-9-new"] }));
    await store.close();
    const context: Partial<Context> = { env, fetch: globalThis.fetch, clock: systemClock };
    await use({
      session,
      simulator,
      run: (...argv) => session.runWith(context, ...argv),
      asked: () => simulator.requests.map((one) => `${one.plan} ${one.status}`),
    });
  });
}

Deno.test("models asks about accounts without a list, then shows what is known", () =>
  onStage(async ({ run, asked }) => {
    const { code, out, err } = await run("models");
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /^ {2}personal \(listed .*\)\n {4}gpt-5\.5 +272k, low to xhigh$/m);
    assert.match(
      out,
      /^ {2}work .*\n {4}gpt-9-new +272k, low to xhigh {2}not every account$/m,
    );
    assert.ok(out.split("\n").every((line) => line.length <= 80));
    await run("models");
    assert.deepEqual(asked(), ["personal 200", "work 200"], "what is known is not asked for again");
  }));

Deno.test("models --refresh asks about every account; an unchanged list does not come again", () =>
  onStage(async ({ run, asked }) => {
    await run("models");
    const { code } = await run("models", "--refresh");
    assert.equal(code, 0);
    assert.deepEqual(asked().slice(2), ["personal 304", "work 304"]);
  }));

Deno.test("models --json has each account's list, and who has which model", () =>
  onStage(async ({ run }) => {
    const { out } = await run("models", "--json");
    const { accounts, models } = JSON.parse(out);
    assert.deepEqual(
      accounts.map((one: { alias: string; models: { slug: string }[]; error: unknown }) => [
        one.alias,
        one.models.map(({ slug }) => slug),
        one.error,
      ]),
      [["personal", ["gpt-5.5"], null], ["work", ["gpt-9-new", "gpt-5.5"], null]],
    );
    assert.deepEqual(models, [
      { slug: "gpt-9-new", accounts: ["work"] },
      { slug: "gpt-5.5", accounts: ["personal", "work"] },
    ]);
    assert.doesNotMatch(out, /eyJ|Bearer/);
  }));

Deno.test("an account that gives no list is said, with the old list and the others'", () =>
  onStage(async ({ run, simulator }) => {
    await run("models");
    simulator.plan("personal").fail({ kind: "status", status: 500 }, 1, "models");
    simulator.plan("work").invalidateAccessTokens();
    const { code, out } = await run("models", "--refresh");
    assert.equal(code, 0);
    assert.match(
      out,
      /personal.*\n {4}No new list: the backend gave no list \(status 500\)\n {4}gpt-5\.5/,
    );
    assert.match(out, /work.*\n {4}No new list: its access token was refused.*\n {4}gpt-9-new/);
  }));

Deno.test("models without accounts says how to begin, and a locked store that it is locked", () =>
  withSession(async (session) => {
    assert.match((await session.run("models")).out, /No accounts configured\. Run: .* add <alias>/);
    session.useFixture("v1-encrypted.json");
    const locked = await session.run("models");
    assert.equal(locked.code, 0);
    assert.match(locked.out, /locked/);
    assert.equal((await session.json("models", "--json"))["locked"], true);
  }));
