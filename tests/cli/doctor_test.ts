import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import type { Context } from "../../src/cli/context.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { PACKAGE, VERSION } from "../../src/platform/version.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { SECRET, withMachine } from "../doctor/machine.ts";
import { storePlan } from "../simulated_account.ts";
import { startSimulator } from "../simulator/simulator.ts";
import { fixture, type Ran, type Session, withSession } from "./session.ts";

const CONFIG = ".config/opencode/opencode.json";
const AUTH = ".local/share/opencode/auth.json";
const STORE = ".config/opencode-multi-auth";

/** Its programs are those of the test alone, so that nothing of this machine is found. */
function doctor(session: Session, args: readonly string[], changes: Partial<Context> = {}) {
  const env = { HOME: session.home, PATH: join(session.home, "bin") };
  return session.runWith({ env, ...changes }, "doctor", ...args);
}

function put(session: Session, path: string, text: string, mode = 0o600): void {
  const file = join(session.home, path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, text);
  chmodSync(file, mode);
}

/** A machine on which only a few things are wrong. */
async function setUp(session: Session): Promise<void> {
  session.useFixture("v1.json");
  await session.run("remove", "backup");
  chmodSync(session.folder, 0o700);
  chmodSync(join(session.folder, "accounts.json"), 0o644);
  put(session, CONFIG, JSON.stringify({ plugin: ["github:guard22/opencode-multi-auth-codex"] }));
  const loads = `/bin/grep -q '${PACKAGE}@' "$XDG_CONFIG_HOME/opencode/opencode.json" && ` +
    `echo "2026-11-25T03:00:00Z [info] ${PACKAGE} ${VERSION} loaded by OpenCode, pid 1" > "$CODEX_SOFT_LOG_PATH"`;
  put(session, "bin/opencode", `#!/bin/sh\n${loads}\necho 1.18.33\n`, 0o755);
}

interface Report {
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly group: string;
    readonly state: string;
    readonly text: string;
    readonly fix?: string;
    readonly fixed?: boolean;
  }[];
  readonly backups?: readonly string[];
}

const reportOf = ({ out }: Ran): Report => JSON.parse(out) as Report;

function terminal(answers: readonly boolean[], asked: string[]): Partial<Context> {
  const left = [...answers];
  return {
    terminal: { input: true, output: true },
    prompts: () =>
      Promise.resolve({
        confirm: (question) => {
          asked.push(question);
          return Promise.resolve(left.shift() ?? false);
        },
        text: () => Promise.reject(new Error("not asked for text")),
        secret: () => Promise.reject(new Error("not asked for a secret")),
      }),
  };
}

Deno.test("doctor names what is wrong, why, and the fix; ends with 1 and changes nothing", () =>
  withSession(async (session) => {
    await setUp(session);
    const before = session.files();
    const ran = await doctor(session, []);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /^Error: \d things are wrong.* opencode-multi-auth doctor --fix\n$/);
    assert.match(ran.out, /^Store\n/m);
    assert.match(ran.out, /^ {2}wrong {4}Other users may reach \S+accounts\.json\.$/m);
    assert.match(ran.out, /^ {11}Fix: Keep them to yourself: chmod -R go= /m);
    assert.match(
      ran.out,
      /^ {2}wrong {4}"github:guard22\S+ in \S+ is an older package of this family/m,
    );
    assert.deepEqual(session.files(), before);
  }));

Deno.test("doctor --json prints one object with every check", () =>
  withSession(async (session) => {
    await setUp(session);
    const ran = await doctor(session, ["--json"]);
    assert.equal(ran.code, 1);
    const { ok, checks } = reportOf(ran);
    assert.equal(ok, false);
    for (const check of checks) {
      assert.ok(check.name && check.group && check.text, JSON.stringify(check));
      assert.ok(["ok", "warning", "wrong"].includes(check.state), check.state);
      assert.ok(!("mend" in check));
      assert.ok(check.state === "ok" || check.fix, `no fix: ${JSON.stringify(check)}`);
    }
    const groups = new Set(checks.map(({ group }) => group));
    for (const group of ["Store", "Accounts", "OpenCode", "Codex CLI", "Machine", "Network"]) {
      assert.ok(groups.has(group), group);
    }
  }));

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

Deno.test("doctor on a terminal keeps to 80 columns, but for what has to be copied whole", () =>
  withSession(async (session) => {
    await setUp(session);
    const { out } = await doctor(session, [], { terminal: { input: false, output: true } });
    for (const line of out.split("\n")) {
      assert.ok(
        line.length <= 80 || line.trim().split(/ +/).filter((word) => word.length > 1).length <= 2,
        line,
      );
    }
    assert.match(out, /^ {2}✗ wrong {4}Other users/m);
    assert.match(out, /^ {13}→ /m);
  }));

Deno.test("doctor offline warns and does not fail for that", () =>
  withSession(async (session) => {
    await setUp(session);
    const { checks } = reportOf(await doctor(session, ["--json"]));
    const network = checks.filter(({ group }) => group === "Network");
    assert.deepEqual(network.map(({ state }) => state), ["warning", "warning"]);
  }));

Deno.test("doctor sends no token, spends no quota and asks the two servers' front doors alone", () =>
  withSession(async (session) => {
    await setUp(session);
    const asked: string[] = [];
    await doctor(session, [], {
      fetch: (input, init) => {
        const request = new Request(input, init);
        asked.push(`${request.method} ${request.url} ${request.headers.get("authorization")}`);
        return Promise.resolve(new Response(null, { status: 403 }));
      },
    });
    assert.deepEqual(asked.sort(), [
      "HEAD https://auth.openai.com/ null",
      "HEAD https://chatgpt.com/ null",
    ]);
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

Deno.test("doctor has a fix for a locked store, also for a program that reads --json", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    const { checks } = reportOf(await doctor(session, ["--json"]));
    for (const name of ["accounts file", "accounts"]) {
      const found = checks.find((check) => check.name === name);
      assert.match(found?.text ?? "", /store is locked/);
      assert.match(found?.fix ?? "", /^Set CODEX_SOFT_STORE_PASSPHRASE/);
    }
  }));

Deno.test("doctor asks for the passphrase of a sealed store once", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    const count = join(session.home, "count");
    const command = `echo asked >> "${count}"; echo wrong`;
    const env = {
      HOME: session.home,
      PATH: join(session.home, "bin"),
      CODEX_SOFT_STORE_PASSPHRASE_COMMAND: command,
    };
    const { checks } = reportOf(await doctor(session, ["--json"], { env }));
    assert.match(
      checks.find(({ name }) => name === "accounts file")?.text ?? "",
      /The store is locked: The passphrase does not open/,
    );
    assert.equal(readFileSync(count, "utf8"), "asked\n");
  }));

Deno.test("doctor without --fix changes no byte of the home folder, and has a fix for whatever is wrong in it", () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        accounts: fc.constantFrom(
          "",
          "{",
          "[]",
          "good",
          "sealed",
          '{"version":3,"accounts":{"a":7}}',
        ),
        state: fc.constantFrom(undefined, "", "SQLite format 3\0 broken", "good"),
        config: fc.constantFrom(undefined, "{", '{"plugin":["oc-codex-multi-auth"]}'),
        auth: fc.constantFrom(undefined, "{", '{"openai":{"type":"api","key":"sk-person"}}'),
        settings: fc.constantFrom(undefined, "[", '{"strategy":"least-used"}'),
        codex: fc.constantFrom(undefined, "{", "{}", '{"tokens":{"access_token":"x"}}'),
        mode: fc.constantFrom(0o600, 0o644, 0o400),
      }),
      (wish) =>
        withMachine(async (machine) => {
          const { home, put, everything } = machine;
          await machine.account("personal");
          const files: Record<string, string | undefined> = {
            [AUTH]: wish.auth,
            [CONFIG]: wish.config,
            ".codex/auth.json": wish.codex,
          };
          if (wish.state !== "good" && wish.state !== undefined) {
            files[`${STORE}/state.db`] = wish.state;
          }
          if (wish.accounts !== "good") {
            const sealed = wish.accounts === "sealed";
            const text = sealed ? fixture("store/v1-encrypted.json") : wish.accounts;
            files[`${STORE}/accounts.json`] = text;
          }
          files[`${STORE}/settings.json`] = wish.settings;
          for (const [path, text] of Object.entries(files)) {
            if (text !== undefined) put(path, text, wish.mode);
          }
          const { PATH } = machine.surroundings.env;
          machine.program("opencode", 'mkdir -p "$XDG_DATA_HOME/opencode"; echo 1.18.33');
          const before = everything();
          await withSession(async (session) => {
            // A half-written auth.json is read again after a moment.
            const real = { env: { HOME: home, PATH }, clock: systemClock };
            const ran = await session.runWith(real, "doctor");
            assert.equal(ran.code, 1);
            assert.ok(!`${ran.out}${ran.err}`.includes(SECRET));
            assert.ok(!`${ran.out}${ran.err}`.includes("sk-person"));
            const { checks } = reportOf(await session.runWith(real, "doctor", "--json"));
            const helpless = checks.filter(({ state, fix }) => state !== "ok" && !fix);
            assert.deepEqual(helpless, [], "what is not ok has a fix");
          });
          assert.deepEqual(everything(), before);
        }),
    ),
    { numRuns: 12 },
  ));
