import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../simulated_account.ts";
import { type SimulatedPlan, type Simulator, startSimulator } from "../simulator/simulator.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { type Ran, type Session, withSession } from "./session.ts";

const MINUTE = 60_000;

/** A person with signed-in accounts on a simulated backend, in real time. */
interface Person {
  readonly session: Session;
  readonly simulator: Simulator;
  readonly plans: Readonly<Record<string, SimulatedPlan>>;
  readonly env: Record<string, string>;
  run(...argv: string[]): Promise<Ran>;
}

function withPerson(names: readonly string[], work: (person: Person) => Promise<void>) {
  return withSession(async (session) => {
    const simulator = await startSimulator({ keepAlive: false });
    const env = {
      HOME: session.home,
      PATH: "/usr/bin:/bin",
      CODEX_CLI_BIN: "/nowhere/codex",
      OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
      OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
      OPENCODE_MULTI_AUTH_LIMITS_GAP_MS: "0",
    };
    const store = await openLocalStore({ paths: resolvePaths(env), env });
    const plans: Record<string, SimulatedPlan> = {};
    for (const name of names) {
      const windows = [{ minutes: 300, usedPercent: 40, resetsInMs: 124.5 * MINUTE }];
      plans[name] = simulator.addPlan({ name, windows });
      await storePlan(store, plans[name]);
    }
    await store.close();
    try {
      const run = (...argv: string[]) =>
        session.runWith({ env, fetch, clock: systemClock }, ...argv);
      await work({ session, simulator, plans, env, run });
    } finally {
      await simulator.close();
    }
  });
}

/** Questions to the usage endpoint, by plan. */
function asked({ simulator }: Person): (string | null)[] {
  return simulator.requests.filter(({ path }) => path.endsWith("/wham/usage"))
    .map(({ plan }) => plan);
}

Deno.test("limits asks every account and shows what is left of it", () =>
  withPerson(["personal", "work"], async (person) => {
    person.plans["work"]?.setUsed(300, 99);
    const { code, out, err } = await person.run("limits");
    assert.equal(code, 0, err);
    assert.equal(err, "");
    assert.match(
      out,
      /^personal {2}plus\n {2}5h {5}█{10}░{6} {2}60% {2}.* \(in 2h 5m\) +just now$/m,
    );
    assert.match(out, /^work {2}plus\n {2}5h {5}█░{15} {3}1% {2}/m);
    assert.deepEqual(asked(person), ["personal", "work"]);
    const status = JSON.parse((await person.run("status", "--json")).out);
    assert.equal(status.accounts[1].quota.windows[0].usedPercent, 99);
    assert.equal(status.accounts[1].resetCredits, 0);
  }));

Deno.test("limits does not ask again within five minutes, unless it is told to", () =>
  withPerson(["personal"], async (person) => {
    await person.run("limits");
    await person.run("limits");
    await person.run("limits", "personal");
    assert.equal(asked(person).length, 1);
    await person.run("limits", "--fresh");
    assert.equal(asked(person).length, 2);
    await person.run("limits", "personal", "--source", "usage");
    assert.equal(asked(person).length, 3);
  }));

Deno.test("limits of figures that are five minutes old asks for new ones", () =>
  withPerson(["personal"], async (person) => {
    await person.run("limits");
    const later = { ...systemClock, now: () => Date.now() + 5 * MINUTE };
    await person.session.runWith({ env: person.env, fetch, clock: later }, "limits");
    assert.equal(asked(person).length, 2);
  }));

Deno.test("limits <alias> that fails says so in one line, with the fix, and ends with 1", () =>
  withPerson(["personal"], async ({ run, session }) => {
    for (const source of ["app-server", "exec"]) {
      const { code, out, err } = await run("limits", "personal", "--source", source);
      assert.equal(code, 1);
      assert.equal(out, "");
      assert.match(
        err,
        /^Error: personal: CODEX_CLI_BIN names \/nowhere\/codex.* Install it .*\n$/,
      );
      assert.equal(err.split("\n").length, 2);
    }
    assert.ok(!existsSync(join(session.home, ".codex-multi")));
  }));

Deno.test("limits of a sealed store takes away a login that a sandbox has from its plain days", () =>
  withPerson(["personal"], async (person) => {
    const sandbox = join(person.session.home, ".codex-multi", "gone");
    mkdirSync(sandbox, { recursive: true });
    const login = join(sandbox, "auth.json");
    const left = () => {
      writeFileSync(login, JSON.stringify({ tokens: { access_token: "x", refresh_token: "" } }));
      utimesSync(login, 0, Date.now() / 1000 - 3_600);
    };
    left();
    await person.run("limits", "--fresh");
    assert.ok(existsSync(login));
    person.env["CODEX_SOFT_STORE_PASSPHRASE"] = "a long passphrase";
    assert.equal((await person.run("seal")).code, 0);
    assert.ok(!existsSync(login));
    left();
    await person.run("limits", "--fresh");
    assert.ok(!existsSync(login));
  }));

Deno.test("limits of several accounts shows all, says what failed with whom, and ends with 1", () =>
  withPerson(["personal", "work"], async (person) => {
    person.plans["work"]?.fail({ kind: "status", status: 500 }, 1, "wham/usage");
    const { code, out, err } = await person.run("limits", "--source", "usage");
    assert.equal(code, 1);
    assert.match(out, /^personal {2}plus\n {2}5h/m);
    assert.match(out, /^work {2}plus\n {2}The usage endpoint gave no figures \(status 500\)\./m);
    assert.equal(err, "Error: No new figures for work. See above why.\n");
  }));

Deno.test("limits --json prints one object, also where an account failed", () =>
  withPerson(["personal", "work"], async (person) => {
    person.plans["work"]?.fail({ kind: "status", status: 500 }, 1, "wham/usage");
    const { code, out, err } = await person.run("limits", "--source", "usage", "--json");
    assert.equal(code, 1);
    const { ok, accounts } = JSON.parse(out);
    assert.equal(ok, false);
    assert.equal(accounts[0].error, null);
    assert.equal(accounts[0].asked, true);
    assert.equal(accounts[0].quota.windows[0].usedPercent, 40);
    assert.match(accounts[1].error, /status 500/);
    assert.match(err, /^Error: No new figures for work\. .*status 500.*\n$/);
  }));

Deno.test("limits leaves out who needs a login, unless that account is named", () =>
  withPerson(["personal", "work"], async (person) => {
    const { run, session } = person;
    const path = join(session.folder, "accounts.json");
    const store = JSON.parse(readFileSync(path, "utf8"));
    store.accounts.work.setAside = { at: FIXTURE_NOW, reason: "needs login" };
    store.accounts.work.authInvalid = true;
    writeFileSync(path, JSON.stringify(store));
    const all = await run("limits");
    assert.equal(all.code, 0, all.err);
    assert.match(all.out, /^ {2}Not asked: needs login\. Sign in: opencode-multi-auth add work$/m);
    assert.deepEqual(asked(person), ["personal"]);
    const named = await run("limits", "work");
    assert.equal(named.code, 1);
    assert.match(
      named.err,
      /^Error: work: It needs login\. Sign in: opencode-multi-auth add work\n$/,
    );
  }));

Deno.test("limits of nobody, of a stranger, and by an unknown way", () =>
  withSession(async ({ run, files }) => {
    assert.match((await run("limits")).out, /^No accounts configured\./);
    assert.match((await run("limits", "x")).err, /no account "x"/);
    const wrong = await run("limits", "--source", "magic");
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /Allowed choices are auto, usage, app-server, exec/);
    assert.deepEqual(Object.keys(files()).filter((name) => name.includes("codex-multi")), []);
  }));

Deno.test("limits on a terminal says whom it asks, and leaves no trace of it", () =>
  withPerson(["personal", "work"], async ({ env, session }) => {
    const { out, err } = await session.runWith({
      env,
      fetch,
      clock: systemClock,
      terminal: { input: true, output: true },
      colour: true,
    }, "limits");
    assert.ok(err.includes("\r\x1b[2KAsking 1 of 2: personal"));
    assert.ok(err.endsWith("\r\x1b[2K"));
    assert.notEqual(stripVTControlCharacters(out), out);
  }));

Deno.test("Ctrl-C in the middle ends the question, and nothing waits for it", () =>
  withPerson(["personal", "work"], async ({ env, session, simulator, run }) => {
    simulator.fail({ kind: "stall" }, 1, "wham/usage");
    const interrupt = new AbortController();
    const running = session.runWith(
      { env, fetch, clock: systemClock, signal: interrupt.signal },
      "limits",
    );
    await simulator.waitFor(({ path }) => path.endsWith("/wham/usage"));
    interrupt.abort();
    assert.equal((await running).code, 130);
    const begin = Date.now();
    assert.equal((await run("limits", "work", "--source", "usage")).code, 0);
    assert.ok(Date.now() - begin < 5_000);
  }));

Deno.test("remove takes the account's token out of its sandbox", () =>
  withPerson(["personal"], async ({ run, session }) => {
    const folder = join(session.home, ".codex-multi", "personal");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "auth.json"), `{"tokens":{"refresh_token":""}}`);
    await run("remove", "personal");
    assert.ok(!existsSync(join(folder, "auth.json")));
  }));
