import assert from "node:assert/strict";
import fc from "fast-check";
import type { Account } from "../../src/account/account.ts";
import { accountSubject } from "../../src/quota/block.ts";
import { readDocument, writeDocument } from "../../src/store/accounts_format.ts";
import { writeEntry } from "../../src/store/account_entry.ts";
import type { LocalStore } from "../../src/store/local.ts";
import type { Snapshot } from "../../src/store/store.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { inFolder, testAccount, testCredentials } from "./store_folder.ts";

/** Any text that a person or a server may come up with, lone surrogates and names of Object's own included. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("__proto__", "constructor", "toString", "1", "007", "-1", "4294967295", "order"),
  fc.string({ unit: fc.constantFrom("\ud800", "\udc00", "a", "\u0000", '"', "\\") }),
);
const filled = text.filter((one) => one !== "");
const moment = fc.integer({ min: 0, max: 8.64e15 });
const opt = <T>(key: string, value: fc.Arbitrary<T>) =>
  fc.option(value, { nil: undefined })
    .map((one): Record<string, T> => one === undefined ? {} : { [key]: one });

/**
 * Aliases are keys of the file. Those with a backslash are left out for as long as V8 misreads such keys, which the
 * test below tells; no new account can have one, see `ALIAS_RULE`.
 */
const alias = text.filter((one) => !one.includes("\\"));

Deno.test("V8 misreads keys with a backslash: when this fails, put them back into the input of these tests", () => {
  // V8 15.0 (Deno 2.9) compares a key as it is written with the key that an object before had in the same place:
  // behind an object with the key `\` there, a key that is one escape is read as `\` too.
  JSON.parse(String.raw`{"first":1,"\\":1}`);
  const [, second] = Object.keys(JSON.parse(String.raw`{"first":1,"\n":1}`));
  const isFixed = second === "\n";
  assert.equal(isFixed, false, "the key is read as it is written");
});

const arbitraryAccount: fc.Arbitrary<Account> = fc.record({
  alias,
  generation: fc.nat(),
  enabled: fc.boolean(),
  tags: fc.array(text, { maxLength: 3 }),
  notes: text,
  source: fc.constantFrom("login", "opencode", "codex", "import"),
  credentials: fc.record({
    accessToken: filled,
    refreshToken: filled,
    expiresAt: fc.oneof(moment, fc.double({ noNaN: true, noDefaultInfinity: true })),
    idToken: filled,
  }, { requiredKeys: ["accessToken", "refreshToken", "expiresAt"], noNullPrototype: true }),
  rest: fc.tuple(
    opt("email", filled),
    opt("plan", filled),
    opt("addedAt", moment),
    opt("refreshedAt", moment),
    opt(
      "setAside",
      fc.record({
        at: moment,
        reason: fc.constantFrom(
          "needs login",
          "needs login (refresh interrupted)",
          "workspace deactivated",
        ),
      }, { noNullPrototype: true }),
    ),
    opt(
      "identity",
      fc.record({ workspaceId: filled, memberId: filled, userId: filled }, {
        requiredKeys: ["workspaceId"],
        noNullPrototype: true,
      }),
    ),
    opt(
      "disabled",
      fc.record({ at: moment, reason: filled }, { requiredKeys: ["at"], noNullPrototype: true }),
    ),
  ),
}).map(({ rest, ...fields }) => {
  const account = { id: "", ...fields, ...Object.assign({}, ...rest) };
  // Only a disabled account has a reason for it, and -0 is 0 in JSON.
  if (account.enabled) delete account.disabled;
  account.credentials.expiresAt += 0;
  return account as Account;
});

const arbitraryAccounts = fc.uniqueArray(arbitraryAccount, {
  selector: ({ alias }) => alias,
  maxLength: 6,
}).map((accounts) => accounts.map((account, index) => ({ ...account, id: `id-${index}` })));

Deno.test("any accounts come back from the file's text as they were, in their order", () =>
  fc.assert(
    fc.property(arbitraryAccounts, (accounts) => {
      const entries = accounts.map((account) => ({
        alias: account.alias,
        raw: writeEntry(account, {}),
        account,
      }));
      const text = writeDocument({ version: 3, top: {}, entries });
      const read = readDocument(JSON.parse(text), 0);
      assert.ok(!("wrong" in read));
      assert.deepEqual(read.entries.map(({ account }) => account), accounts);
      assert.equal(writeDocument(read), text, "and a second time the same text");
    }),
    { numRuns: 300 },
  ));

Deno.test("no JSON whatever breaks the reading of a file", () =>
  fc.assert(
    fc.property(
      fc.oneof(
        fc.jsonValue(),
        fc.record({
          version: fc.constantFrom(1, 2, 3, undefined),
          accounts: fc.dictionary(alias, fc.jsonValue()),
          order: fc.jsonValue(),
        }),
      ),
      (value) => {
        const json = JSON.parse(JSON.stringify(value) ?? "null");
        const read = readDocument(json, 0);
        if ("wrong" in read) return;
        assert.deepEqual(
          read.entries.map(({ alias }) => alias).sort(),
          Object.keys(json.accounts).sort(),
        );
        for (const { account, problem } of read.entries) {
          assert.ok(
            (account ?? problem) !== undefined,
          );
        }
      },
    ),
    { numRuns: 500 },
  ));

/** One operation on one of two stores. */
type Step = (stores: readonly [LocalStore, LocalStore]) => unknown;

const NAMES = ["a", "b", "c"];
const which = fc.constantFrom(0 as const, 1 as const);
const name = fc.constantFrom(...NAMES);
const at = fc.integer({ min: FIXTURE_NOW - 50, max: FIXTURE_NOW });

function step<T extends unknown[]>(
  label: string,
  values: { [K in keyof T]: fc.Arbitrary<T[K]> },
  work: (store: LocalStore, ...values: T) => unknown,
): fc.Arbitrary<{ label: string; run: Step }> {
  return fc.tuple(which, fc.tuple(...values)).map(([one, given]) => ({
    label: `${label}(${one}, ${given.join(", ")})`,
    run: (stores) => work(stores[one], ...given as T),
  }));
}

const steps = fc.array(
  fc.oneof(
    step("add", [name], (store, one) => store.add(testAccount(one)).catch(() => {})),
    step("remove", [name], (store, one) => store.remove(`id-${one}`)),
    step(
      "edit",
      [name, text],
      (store, one, notes) => store.edit(`id-${one}`, (account) => ({ ...account, notes })),
    ),
    step(
      "rename",
      [name, name],
      (store, one, alias) =>
        store.edit(`id-${one}`, (account) => ({ ...account, alias })).catch(() => {}),
    ),
    step(
      "swap",
      [name, fc.integer({ min: 0, max: 4 })],
      (store, one, generation) =>
        store.swapCredentials(`id-${one}`, generation, testCredentials(one, generation + 1)),
    ),
    step(
      "observe",
      [name, fc.nat(3), fc.integer({ min: 0, max: 100 }), at],
      (store, one, uses, usedPercent, observedAt) =>
        store.observe({
          accountId: `id-${one}`,
          uses,
          usedAt: observedAt,
          windows: [{ bucket: "codex", minutes: 300, usedPercent, resetsAt: null, observedAt }],
        }),
    ),
    step("block", [name, at], (store, one, since) =>
      store.block({
        subject: accountSubject(`id-${one}`),
        model: "",
        reason: "usage limit",
        until: FIXTURE_NOW + 1_000,
        source: "body",
        since,
      })),
    step(
      "unblock",
      [name, at],
      (store, one, evidenceAt) =>
        store.unblock({ subject: accountSubject(`id-${one}`), model: "" }, evidenceAt),
    ),
    step("pin", [name], (store, one) => store.setPin({ accountId: `id-${one}`, until: null })),
    step(
      "turn",
      [name],
      (store, one) => store.setTurn({ activeId: `id-${one}`, turnId: `id-${one}` }),
    ),
    step("flush", [], (store) => store.flush()),
    step("load", [], (store) => store.load()),
  ),
  { maxLength: 30, size: "max" },
);

Deno.test("any sequence of operations on two stores of one folder ends in the same snapshot", () =>
  fc.assert(
    fc.asyncProperty(steps, (sequence) =>
      inFolder(async (folder) => {
        const stores = [await folder.open(), await folder.open()] as const;
        const generations = new Map<string, number>();
        for (const { run } of sequence) {
          await run(stores);
          const { accounts } = await stores[0].load();
          for (const { id, generation } of accounts) {
            // Removing and adding again is a new account.
            assert.ok(generation >= (generations.get(id) ?? 0), "a generation went back");
          }
          generations.clear();
          for (const { id, generation } of accounts) generations.set(id, generation);
        }
        for (const store of stores) await store.flush();
        const one: Snapshot = await stores[0].load();
        const two: Snapshot = await stores[1].load();
        const fresh: Snapshot = await (await folder.open()).load();
        assert.deepEqual(two, one);
        assert.deepEqual(fresh, one);
        assert.equal(stores[0].changed() || stores[1].changed(), false);
      })),
    { numRuns: 60 },
  ));
