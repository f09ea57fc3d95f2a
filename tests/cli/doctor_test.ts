import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { summaryText } from "../../src/cli/doctor_text.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { SECRET, withMachine } from "../doctor/machine.ts";
import { fixture, withSession } from "./session.ts";
import { AUTH, CONFIG, doctor, reportOf, setUp, STORE } from "./doctor_session.ts";

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

Deno.test("a report that could not look at everything does not say that all is well", () => {
  const seen = { group: "Group", name: "name", state: "ok", text: "It works." } as const;
  assert.equal(summaryText([seen]), "All is well.");
  const unseen = { ...seen, state: "unseen", fix: "Permit it." } as const;
  assert.equal(
    summaryText([seen, unseen]),
    "Nothing is wrong, not everything could be looked at.",
  );
});
