import assert from "node:assert/strict";
import type { Account } from "../../src/account/account.ts";
import { accountsCheck } from "../../src/doctor/accounts.ts";
import type { Look } from "../../src/doctor/check.ts";
import { finding, lookAt, type Machine, withMachine } from "./machine.ts";

const look = ({ surroundings }: Machine, renewed: string[] = []): Promise<Look> =>
  lookAt(accountsCheck(surroundings, (ids) => {
    renewed.push(...ids);
    return Promise.resolve([]);
  }));

const ended = (now: number) => (account: Account): Account => ({
  ...account,
  credentials: { ...account.credentials, expiresAt: now - 3_600_000 },
});

Deno.test("accounts that may serve are ok, each with the life of its token", () =>
  withMachine(async (machine) => {
    await machine.account("personal");
    const found = await look(machine);
    assert.equal(finding(found, "accounts").state, "ok");
    const personal = finding(found, "account personal");
    assert.equal(personal.state, "ok");
    assert.match(personal.text, /lives for another 9d/);
  }));

Deno.test("no account at all is wrong, with how to add one", () =>
  withMachine(async (machine) => {
    const none = finding(await look(machine), "accounts");
    assert.equal(none.state, "wrong");
    assert.match(none.fix ?? "", /opencode-multi-auth add personal/);
  }));

Deno.test("a token that has ended is a warning, renewed by --fix alone and only where needed", () =>
  withMachine(async (machine) => {
    await machine.account("fresh");
    const { id } = await machine.account("old", ended(machine.clock.now()));
    await machine.account("not-chosen", ended(machine.clock.now()));
    const renewed: string[] = [];
    const found = await look(machine, renewed);
    const old = finding(found, "account old");
    assert.equal(old.state, "warning");
    assert.deepEqual(renewed, []);
    await found.mend?.([old, finding(found, "account fresh")]);
    assert.deepEqual(renewed, [id]);
  }));

Deno.test("an account that needs login is wrong, a disabled one is the person's wish", () =>
  withMachine(async (machine) => {
    const at = machine.clock.now();
    await machine.account("dead", (one) => ({ ...one, setAside: { at, reason: "needs login" } }));
    await machine.account("off", (one) => ({ ...one, enabled: false, disabled: { at } }));
    await machine.account("gone", (one) => ({
      ...one,
      setAside: { at, reason: "workspace deactivated" },
    }));
    const found = await look(machine);
    assert.equal(finding(found, "accounts").state, "wrong");
    const dead = finding(found, "account dead");
    assert.deepEqual([dead.state, dead.fix], ["wrong", "Sign in: opencode-multi-auth add dead"]);
    assert.equal(finding(found, "account off").state, "ok");
    assert.equal(finding(found, "account gone").state, "warning");
  }));

Deno.test("a refresh that was cut off is said while the token lives, and is nothing that --fix sends", () =>
  withMachine(async (machine) => {
    const { id, generation } = await machine.account("personal");
    await machine.change((store) => store.beginRefresh(id, generation));
    const found = finding(await look(machine), "account personal");
    assert.equal(found.state, "warning");
    assert.match(found.text, /was cut off.*may be spent/);
    assert.equal(found.mend, undefined);
  }));

Deno.test("a refused refresh token is said while the access token lives, and is nothing that --fix sends", () =>
  withMachine(async (machine) => {
    const account = await machine.account("personal");
    await machine.change((store) => store.refuseRefresh(account));
    const found = finding(await look(machine), "account personal");
    assert.equal(found.state, "warning");
    assert.match(found.text, /gets no new tokens from the issuer/);
    assert.equal(found.mend, undefined);
  }));

Deno.test("a pin to an account that does not serve is a warning", () =>
  withMachine(async (machine) => {
    const { id } = await machine.account("off", (one) => ({ ...one, enabled: false }));
    await machine.account("on");
    await machine.change((store) => store.setPin({ accountId: id, until: null }));
    assert.match(finding(await look(machine), "pin").fix ?? "", /unpin$/);
  }));

Deno.test("many healthy accounts do not hide the one that is not", () =>
  withMachine(async (machine) => {
    for (let number = 1; number <= 9; number++) await machine.account(`a${number}`);
    await machine.account("old", ended(machine.clock.now()));
    const names = (await look(machine)).findings.map(({ name }) => name);
    assert.deepEqual(names, ["accounts", "account old"]);
  }));
