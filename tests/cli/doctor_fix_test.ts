import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../simulated_account.ts";
import { startSimulator } from "../simulator/simulator.ts";
import { withSession } from "./session.ts";
import { terminal } from "./answering.ts";
import { AUTH, CONFIG, doctor, type Report, reportOf, setUp } from "./doctor_session.ts";

Deno.test("doctor --fix --yes mends everything with copies, says what was mended, and then all is well", () =>
  withSession(async (session) => {
    await setUp(session);
    const config = readFileSync(join(session.home, CONFIG), "utf8");
    const ran = await doctor(session, ["--fix", "--yes", "--json"]);
    const { ok, checks, backups } = reportOf(ran);
    const bad = checks.filter(({ state }) => state === "wrong");
    assert.deepEqual(bad, []);
    assert.ok(ok);
    assert.equal(ran.code, 0, ran.err);
    const fixed = checks.filter((check) => check.fixed).map(({ name }) => name).sort();
    assert.deepEqual(fixed, [
      "auth.json entry",
      'entry "github:guard22/opencode-multi-auth-codex"',
      "file modes",
      "plugin entry",
      "plugin loads",
    ]);
    assert.equal(readFileSync(backups?.[0] ?? "", "utf8"), config);
    const again = await doctor(session, []);
    assert.equal(again.code, 0, again.err + again.out);
  }));

Deno.test("doctor --fix asks on a terminal before the first change, and mends only what got a yes", () =>
  withSession(async (session) => {
    await setUp(session);
    const asked: string[] = [];
    const auth = () => session.files()[AUTH];
    const no = await doctor(session, ["--fix"], terminal([], asked));
    assert.equal(no.code, 1);
    assert.ok(asked.length >= 4 && asked.every((one) => one.endsWith("?")), asked.join("\n"));
    assert.equal(auth(), undefined);
    const some = asked.map((question) => question.includes("auth.json"));
    const yes = await doctor(session, ["--fix"], terminal(some, []));
    assert.match(yes.out, /^ {2}✓ mended {3}/m);
    assert.notEqual(auth(), undefined);
    assert.match(readFileSync(join(session.home, CONFIG), "utf8"), /guard22/);
  }));

Deno.test("doctor --fix where nobody can be asked changes nothing and names --yes", () =>
  withSession(async (session) => {
    await setUp(session);
    const before = session.files();
    const ran = await doctor(session, ["--fix"]);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /^Error: Nobody can be asked here: [^\n]+--fix --yes\.\n$/);
    assert.deepEqual(session.files(), before);
  }));

Deno.test("doctor --yes without --fix is wrong usage", () =>
  withSession(async (session) => {
    assert.equal((await doctor(session, ["--yes"])).code, 2);
  }));

Deno.test("doctor --fix renews the token that has ended, once, and no other", () =>
  withSession(async (session) => {
    const simulator = await startSimulator();
    try {
      await setUp(session);
      const env = {
        HOME: session.home,
        PATH: join(session.home, "bin"),
        OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
        OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
      };
      const store = await openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
      await storePlan(store, simulator.addPlan({ name: "old", windows: [] }), -60_000);
      await storePlan(store, simulator.addPlan({ name: "young", windows: [] }));
      await store.close();
      const real = { env, fetch: globalThis.fetch, clock: systemClock };
      const look = reportOf(await doctor(session, ["--json"], real));
      const old = (report: Report) => report.checks.find(({ name }) => name === "account old");
      assert.equal(old(look)?.state, "warning");
      assert.deepEqual(simulator.tokenCalls, []);
      const report = reportOf(await doctor(session, ["--fix", "--yes", "--json"], real));
      assert.deepEqual([old(report)?.state, old(report)?.fixed], ["ok", true]);
      assert.deepEqual(
        simulator.tokenCalls.map(({ grant, plan, ok }) => [grant, plan, ok]),
        [["refresh_token", "old", true]],
      );
    } finally {
      await simulator.close();
    }
  }));
