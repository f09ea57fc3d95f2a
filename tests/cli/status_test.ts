import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { fixture, withSession } from "./session.ts";

/** Splits a status into its head and one list of lines for each account. */
function sections(text: string): string[][] {
  return text.split("\n\n").map((section) => section.split("\n"));
}

Deno.test("status shows an older store in the layout of its own program, with further lines below each account", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const { code, out, err } = await session.run("status");
    assert.equal(code, 0);
    assert.equal(err, "");
    const expected = sections(fixture("older/status.txt"));
    const actual = sections(out);
    assert.equal(actual.length, expected.length);
    for (const [index, lines] of expected.entries()) {
      assert.deepEqual(actual[index]?.slice(0, lines.length), lines);
    }
  }));

Deno.test("status shows what is left, when it starts anew, and why an account may not serve", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const { out } = await session.run("status");
    assert.match(out, /^ {4}5h: 60% left, resets 8:00 PM \(in 2h\)$/m);
    assert.match(out, /^ {4}week: 88% left, resets Nov 27, 6:00 PM \(in 4d\)$/m);
    assert.match(out, /^ {4}Blocked: usage limit, until 7:00 PM \(in 1h\)$/m);
    assert.match(
      out,
      /^ {4}Set aside: needs login; sign in: opencode-multi-auth add backup$/m,
    );
  }));

Deno.test("status of a window that has started anew says so instead of an old figure", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    session.clock.jump(session.clock.now() + 3 * 3_600_000);
    const { out } = await session.run("status");
    assert.match(out, /^ {4}5h: 100% left, was reset 8:00 PM \(1h ago\)$/m);
    assert.doesNotMatch(out, /RATE LIMITED|Blocked/);
  }));

Deno.test("status of an empty store is that of the older program, and makes no file", () =>
  withSession(async (session) => {
    const { code, out } = await session.run("status");
    assert.equal(code, 0);
    assert.equal(out, fixture("older/status-empty.txt"));
    assert.deepEqual(session.files(), {});
  }));

Deno.test("status --json prints one object with the promised fields", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const status = await session.json("status", "--json");
    assert.equal(status["strategy"], "round-robin");
    assert.equal(status["active"], "personal");
    assert.equal(status["locked"], false);
    const accounts = status["accounts"] as Record<string, unknown>[];
    const brief = accounts.map(({ alias, email, uses, expiresAt, blockedUntil, blockReason }) => ({
      alias,
      email,
      uses,
      expiresAt,
      blockedUntil,
      blockReason,
    }));
    assert.deepEqual(brief, [
      {
        alias: "personal",
        email: "you@personal.example",
        uses: 12,
        expiresAt: 1796148000000,
        blockedUntil: null,
        blockReason: null,
      },
      {
        alias: "work",
        email: "you@work.example",
        uses: 10,
        expiresAt: 1796148000000,
        blockedUntil: 1795460400000,
        blockReason: "usage limit",
      },
      {
        alias: "backup",
        email: "you@backup.example",
        uses: 8,
        expiresAt: 1795453200000,
        blockedUntil: 253402300799000,
        blockReason: "needs login",
      },
    ]);
    const outlook = { trendPerHour: null, projection: null };
    const observedAt = 1795456680000;
    assert.deepEqual(accounts[0]?.["quota"], {
      windows: [
        { minutes: 300, usedPercent: 40, resetsAt: 1795464000000, observedAt, ...outlook },
        { minutes: 10080, usedPercent: 12, resetsAt: 1795802400000, observedAt, ...outlook },
      ],
      models: [],
    });
    assert.equal(accounts[0]?.["resetCredits"], null);
  }));

Deno.test("status and list of a sealed store without its passphrase say locked", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    for (const command of ["status", "list"]) {
      const { code, out } = await session.run(command);
      assert.equal(code, 0);
      assert.match(out, /locked/);
      assert.match(out, /CODEX_SOFT_STORE_PASSPHRASE/);
      const object = await session.json(command, "--json");
      assert.equal(object["locked"], true);
      assert.deepEqual(object["accounts"], []);
    }
  }));

Deno.test("status has colours on a terminal only, and the same text under them", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const plain = await session.run("status");
    assert.equal(stripVTControlCharacters(plain.out), plain.out);
    const coloured = await session.runWith({ colour: true }, "status");
    assert.notEqual(coloured.out, plain.out);
    assert.equal(stripVTControlCharacters(coloured.out), plain.out);
  }));

Deno.test("status fits into 80 columns", () =>
  withSession(async (session) => {
    session.useFixture("v2.json");
    const { out } = await session.run("status");
    assert.deepEqual(out.split("\n").filter((line) => line.length > 80), []);
  }));

Deno.test("an alias with terminal sequences from an older store is shown without them", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const { writeFileSync, readFileSync } = await import("node:fs");
    const path = `${session.folder}/accounts.json`;
    const bad = "a\u001b]0;owned\u0007b";
    const store = JSON.parse(readFileSync(path, "utf8"));
    store.accounts = { [bad]: store.accounts.personal };
    writeFileSync(path, JSON.stringify(store));
    for (const command of ["status", "list"]) {
      const { out } = await session.run(command);
      assert.match(out, /a\uFFFD\]0;owned\uFFFDb/);
      assert.ok(!out.includes("\u001b"));
    }
  }));

Deno.test("an address that tokens may not be sent to is refused by the first command, also by one that needs none", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    for (const name of ["OPENCODE_MULTI_AUTH_BACKEND_URL", "OPENCODE_MULTI_AUTH_ISSUER_URL"]) {
      const env = { HOME: session.home, [name]: "http://chatgpt.example" };
      for (const command of ["status", "list"]) {
        const { code, out, err } = await session.runWith({ env }, command);
        assert.equal(code, 1, command);
        assert.equal(out, "");
        assert.match(err, new RegExp(`^Error: ${name} is not an address .*\\n$`));
      }
    }
  }));
