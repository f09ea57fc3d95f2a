import assert from "node:assert/strict";
import { terminal } from "./answering.ts";
import { type Session, withSession } from "./session.ts";

/** One account of `status --json`. */
async function account(session: Session, alias: string): Promise<Record<string, unknown>> {
  const { accounts } = await session.json("status", "--json");
  const found = (accounts as Record<string, unknown>[]).find((one) => one["alias"] === alias);
  assert.ok(found, `no account ${alias}`);
  return found;
}

async function aliases(session: Session): Promise<unknown[]> {
  const { accounts } = await session.json("list", "--json");
  return (accounts as Record<string, unknown>[]).map(({ alias }) => alias);
}

for (const command of ["remove", "rm"]) {
  Deno.test(`${command} without a terminal removes at once, in the older program's words`, () =>
    withSession(async (session) => {
      session.useFixture("v1.json");
      const ran = await session.run(command, "work");
      assert.deepEqual(ran, { code: 0, out: 'Account "work" removed.\n', err: "" });
      assert.deepEqual(await aliases(session), ["personal", "backup"]);
    }));
}

Deno.test("remove on a terminal asks, names the account, and keeps it when the answer is no", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const before = session.files();
    const asked: string[] = [];
    const ran = await session.runWith(terminal(false, asked), "remove", "work");
    assert.equal(ran.code, 1);
    assert.match(ran.err, /nothing was changed/);
    assert.deepEqual(asked, [
      'Remove account "work" (you@work.example)? Its tokens will be deleted.',
    ]);
    assert.deepEqual(session.files(), before);
    assert.equal((await session.runWith(terminal(true), "remove", "work")).code, 0);
    assert.deepEqual(await aliases(session), ["personal", "backup"]);
  }));

Deno.test("remove --yes on a terminal does not ask", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const asked: string[] = [];
    const ran = await session.runWith(terminal(false, asked), "remove", "work", "--yes");
    assert.equal(ran.code, 0);
    assert.deepEqual(asked, []);
  }));

for (
  const argv of [
    ["remove", "wrok"],
    ["enable", "wrok"],
    ["disable", "wrok"],
    ["pin", "wrok"],
    ["restore", "wrok"],
  ]
) {
  Deno.test(`${argv[0]} of an unknown alias names the aliases there are and changes nothing`, () =>
    withSession(async (session) => {
      session.useFixture("v1.json");
      const before = session.files();
      const ran = await session.run(...argv);
      assert.equal(ran.code, 1);
      assert.equal(
        ran.err,
        'Error: There is no account "wrok". Accounts: personal, work, backup.\n',
      );
      assert.deepEqual(session.files(), before);
    }));
}

Deno.test("disable takes an account out with its reason, enable brings it back", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const off = await session.run("disable", "work", "--reason", "holiday");
    assert.deepEqual(off, { code: 0, out: 'Account "work" disabled.\n', err: "" });
    const disabled = await account(session, "work");
    assert.equal(disabled["enabled"], false);
    assert.equal(disabled["disableReason"], "holiday");
    const { out } = await session.run("status");
    assert.match(out, /^ {2}work .*\[DISABLED\]$/m);
    assert.match(out, /^ {4}Disabled: holiday; to use it: opencode-multi-auth enable work$/m);
    assert.match((await session.run("list")).out, /^ {2}work: .* \[disabled\]$/m);
    assert.match((await session.run("enable", "work")).out, /^Account "work" enabled\.$/m);
    assert.equal((await account(session, "work"))["enabled"], true);
    assert.match((await session.run("enable", "work")).out, /already/);
  }));

Deno.test("disable of a disabled account says that it was so, and takes a new reason", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    await session.run("disable", "work", "--reason", "holiday");
    const again = await session.run("disable", "work");
    assert.deepEqual(again, { code: 0, out: 'Account "work" is disabled already.\n', err: "" });
    assert.equal((await session.json("disable", "work", "--json"))["changed"], false);
    const ran = await session.run("disable", "work", "--reason", "billing");
    assert.equal(ran.out, 'Account "work" is disabled already; the reason is new.\n');
    assert.equal((await account(session, "work"))["disableReason"], "billing");
  }));

Deno.test("disable of the last account that may serve says so", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    await session.run("disable", "personal");
    // backup is set aside already.
    assert.match((await session.run("disable", "work")).out, /No account is left that may serve/);
  }));

Deno.test("pin --for lasts that long and shows in status", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const ran = await session.run("pin", "work", "--for", "2h");
    assert.equal(ran.out, 'Pinned to "work" until 8:00 PM (in 2h).\n');
    const { pinned } = await session.json("status", "--json");
    assert.deepEqual(pinned, { alias: "work", until: session.clock.now() + 2 * 3_600_000 });
    assert.match((await session.run("status")).out, /^ {4}Pinned: until 8:00 PM \(in 2h\)$/m);
    session.clock.jump(session.clock.now() + 2 * 3_600_000);
    assert.equal((await session.json("status", "--json"))["pinned"], null);
  }));

Deno.test("pin without an end lasts until unpin", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    assert.match((await session.run("pin", "work")).out, /until you unpin it/);
    assert.deepEqual((await session.json("status", "--json"))["pinned"], {
      alias: "work",
      until: null,
    });
    assert.match(
      (await session.run("pin", "work")).out,
      /^Already pinned to "work" until you unpin/,
    );
    assert.match(
      (await session.run("pin", "work", "--for", "2h")).out,
      /^Pinned to "work" until 8/,
    );
    assert.equal((await session.run("unpin")).out, 'Unpinned "work".\n');
    assert.equal((await session.json("status", "--json"))["pinned"], null);
    assert.equal((await session.run("unpin")).out, "No account was pinned.\n");
  }));

Deno.test("pin to an account that cannot serve is refused with the way out", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const before = session.files();
    const ran = await session.run("pin", "backup");
    assert.equal(ran.code, 1);
    assert.match(ran.err, /cannot serve: needs login\. Sign in: opencode-multi-auth add backup/);
    assert.deepEqual(session.files(), before);
  }));

Deno.test("restore brings a set-aside account back and lifts blocks", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const ran = await session.run("restore", "backup");
    assert.equal(ran.code, 0);
    assert.match(ran.out, /will be tried again \(was: needs login\)/);
    assert.equal((await account(session, "backup"))["blockReason"], null);
    assert.match((await session.run("restore", "work")).out, /was: usage limit/);
    assert.equal((await account(session, "work"))["blockReason"], null);
    assert.match((await session.run("restore", "work")).out, /neither set aside nor blocked/);
  }));

const CHANGES: readonly (readonly string[])[] = [
  ["add", "new", "--device"],
  ["remove", "work"],
  ["enable", "work"],
  ["disable", "work"],
  ["pin", "work"],
  ["unpin"],
  ["restore", "backup"],
];

for (const argv of CHANGES) {
  Deno.test(`${argv[0]} on a locked store exits 1 in one line and leaves every file as it is`, () =>
    withSession(async (session) => {
      session.useFixture("v1-encrypted.json");
      const before = session.files();
      const ran = await session.run(...argv);
      assert.equal(ran.code, 1);
      assert.equal(ran.out, "");
      assert.match(
        ran.err,
        /^Error: The store is locked[^\n]+CODEX_SOFT_STORE_PASSPHRASE[^\n]*\n$/,
      );
      assert.deepEqual(session.files(), before);
    }));

  Deno.test(`${argv[0]} on a store that is not JSON exits 1 in one line and leaves every file as it is`, () =>
    withSession(async (session) => {
      session.useFixture("not-json.json");
      const before = session.files();
      const ran = await session.run(...argv);
      assert.equal(ran.code, 1);
      assert.match(ran.err, /^Error: [^\n]*accounts\.json[^\n]*\n$/);
      assert.deepEqual(session.files(), before);
    }));
}

for (
  const argv of [
    ["disable", "work"],
    ["enable", "work"],
    ["pin", "work"],
    ["unpin"],
    ["restore", "backup"],
    ["remove", "work"],
  ]
) {
  Deno.test(`${argv[0]} --json prints {ok: true, …}`, () =>
    withSession(async (session) => {
      session.useFixture("v1.json");
      assert.equal((await session.json(...argv, "--json"))["ok"], true);
    }));
}
