import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import type { LocalStore } from "../../src/store/local.ts";
import { PlainModel } from "./plain_model.ts";
import { inFolder, type StoreFolder, testAccount, testCredentials } from "./store_folder.ts";

/** One process: its store, and what it has counted and not saved yet. */
interface Process {
  folder: StoreFolder;
  store: LocalStore;
  pending: Map<string, number>;
}

/** What happens to a store and to the model alike; both must give the same. */
type Step = (process: Process, model: PlainModel) => Promise<void>;

const NAMES = ["a", "b"];
const name = fc.constantFrom(...NAMES);
const generation = fc.integer({ min: 1, max: 3 });

function step<T extends unknown[]>(
  label: string,
  values: { [K in keyof T]: fc.Arbitrary<T[K]> },
  work: (process: Process, model: PlainModel, ...values: T) => Promise<void>,
): fc.Arbitrary<{ label: string; at: number; run: Step }> {
  return fc.tuple(fc.nat(2), fc.tuple(...values)).map(([at, given]) => ({
    label: `${label}(${[at, ...given].join(", ")})`,
    at,
    run: (process, model) => work(process, model, ...given as T),
  }));
}

async function flush({ pending }: Process, model: PlainModel, work: Promise<void>): Promise<void> {
  await work;
  model.count(pending);
  pending.clear();
}

const steps = fc.array(
  fc.oneof(
    step("add", [name], async ({ store }, model, one) => {
      const added = await store.add(testAccount(one)).then(() => true, () => false);
      assert.equal(added, model.add(one));
    }),
    step("remove", [name], async ({ store, pending }, model, one) => {
      const removed = await store.remove(`id-${one}`);
      assert.equal(removed, model.remove(`id-${one}`));
      if (removed) pending.delete(`id-${one}`);
    }),
    step("note", [name, fc.string()], async ({ store }, model, one, notes) => {
      const edit = (account: ReturnType<typeof testAccount>) => ({ ...account, notes });
      assert.deepEqual(await store.edit(`id-${one}`, edit), model.edit(`id-${one}`, edit));
    }),
    step("set aside", [name], async ({ store }, model, one) => {
      const mark = (account: ReturnType<typeof testAccount>) => ({
        ...account,
        setAside: { at: 1, reason: "needs login" as const },
      });
      assert.deepEqual(await store.edit(`id-${one}`, mark), model.edit(`id-${one}`, mark));
    }),
    step("swap", [name, generation], async ({ store }, model, one, from) => {
      const id = `id-${one}`;
      const swapped = model.swap(id, from);
      const credentials = swapped?.credentials ?? testCredentials(id, 99);
      assert.deepEqual(await store.swapCredentials(id, from, credentials), swapped);
    }),
    step("keep", [name, generation], async (process, model, one, from) => {
      const id = `id-${one}`;
      const swapped = model.swap(id, from);
      const credentials = swapped?.credentials ?? testCredentials(id, 99);
      const kept = process.store.keepCredentials(id, from, credentials);
      // By then it is kept, as in life, where it follows a save that has failed.
      await process.store.openRefresh(id);
      await flush(process, model, process.store.flush());
      assert.deepEqual(await kept, swapped);
    }),
    step("begin", [name, generation], async ({ store }, model, one, from) => {
      await store.beginRefresh(`id-${one}`, from);
      model.begin(`id-${one}`, from);
    }),
    step("end", [name], async ({ store }, model, one) => {
      await store.endRefresh(`id-${one}`);
      model.end(`id-${one}`);
    }),
    step("refuse", [name], async ({ store }, model, one) => {
      const account = model.account(`id-${one}`);
      if (account) await store.refuseRefresh(account);
      model.refuse(`id-${one}`);
    }),
    step("use", [name, fc.integer({ min: 1, max: 9 })], ({ store, pending }, _model, one, uses) => {
      store.observe({ accountId: `id-${one}`, uses });
      pending.set(`id-${one}`, (pending.get(`id-${one}`) ?? 0) + uses);
      return Promise.resolve();
    }),
    step("pin", [fc.option(name)], async ({ store }, model, one) => {
      model.pin = one === null ? null : { accountId: `id-${one}`, until: null };
      await store.setPin(model.pin);
    }),
    step("back up", [], ({ folder }, model) => {
      if (model.accounts.length > 0) {
        model.backup = { text: folder.text(), accounts: model.accounts };
      }
      return Promise.resolve();
    }),
    step("restore the backup", [], ({ folder }, model) => {
      if (!model.backup) return Promise.resolve();
      writeFileSync(folder.paths.accounts, model.backup.text);
      model.accounts = model.backup.accounts;
      return Promise.resolve();
    }),
    step("flush", [], (process, model) => flush(process, model, process.store.flush())),
    step("flush at the end", [], (process, model) => {
      process.store.flushNow();
      return flush(process, model, Promise.resolve());
    }),
    step("look", [], async ({ store }) => void await store.load()),
  ),
  { maxLength: 40, size: "max" },
);

/** Restarts of a process, in order or by a sudden death that costs what it has not saved. */
const restarts = fc.array(
  fc.record({ before: fc.nat(40), at: fc.nat(2), dies: fc.boolean() }),
  { maxLength: 4 },
);

async function compare({ store, pending }: Process, model: PlainModel): Promise<void> {
  const { accounts, figures, pin, locked } = await store.load();
  assert.equal(locked, false);
  assert.deepEqual(accounts, model.accounts);
  assert.deepEqual(pin, model.pin);
  for (const { id } of accounts) {
    assert.equal(figures.get(id)?.uses ?? 0, model.uses(id) + (pending.get(id) ?? 0), "uses");
  }
  for (const one of NAMES) {
    assert.equal(await store.openRefresh(`id-${one}`), model.open(`id-${one}`), "open refresh");
  }
  assert.deepEqual(store.warnings, []);
}

Deno.test("three processes on one folder amount to the plain model, whatever they do in whatever order", () =>
  fc.assert(
    fc.asyncProperty(steps, restarts, (sequence, ends) =>
      inFolder(async (folder) => {
        const start = async () => ({ folder, store: await folder.open(), pending: new Map() });
        const processes: Process[] = [await start(), await start(), await start()];
        const model = new PlainModel();
        for (const [index, { at, run }] of sequence.entries()) {
          for (const end of ends.filter(({ before }) => before === index)) {
            const old = processes[end.at]!;
            if (!end.dies) await flush(old, model, old.store.close());
            processes[end.at] = await start();
          }
          await run(processes[at]!, model);
          await compare(processes[index % 3]!, model);
        }
        for (const process of processes) await flush(process, model, process.store.flush());
        for (const process of [...processes, await start()]) await compare(process, model);
      })),
    { numRuns: 60 },
  ));
