import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLimitQueue } from "../../src/limits/queue.ts";
import { sleep, systemClock } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { runs } from "../codex_cli/fake_codex.ts";
import { type Child, start } from "../e2e/child.ts";

const WORKER = fileURLToPath(new URL("./worker.ts", import.meta.url));

interface Machine {
  /** Starts another process on the machine's queue. */
  start(what: "run" | "stop", ...ids: string[]): Child;
  /** Whether a question of these processes is still under way. */
  asking(): boolean;
  states(): Promise<string[]>;
  /** Adds accounts in this process, whose questions are answered at once. */
  add(...ids: string[]): Promise<void>;
}

async function onMachine(work: (machine: Machine) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "limit-processes-"));
  const folder = join(root, "store");
  const mark = `96${Math.floor(Math.random() * 1e8)}`;
  const store = await openLocalStore({
    paths: resolvePaths({ OPENCODE_MULTI_AUTH_STORE_DIR: folder }),
    env: {},
  });
  const queue = createLimitQueue({
    store,
    ask: () => Promise.resolve({ kind: "answered", source: "usage" }),
    clock: systemClock,
    random: () => 0,
    settings: () => ({ limitsAtOnce: 1, limitsGap: 0 }),
    log: silentLog,
  });
  try {
    await work({
      start: (what, ...ids) =>
        start(Deno.execPath(), ["run", "--no-check", "-A", WORKER, what, folder, ...ids], {
          env: { ...Deno.env.toObject(), MARK: mark },
          cwd: root,
        }),
      asking: () => runs(`sleep ${mark}`),
      states: async () => (await queue.state()).tasks.map(({ state }) => state),
      add: (...ids) => queue.add(ids, "usage"),
    });
  } finally {
    await queue.close();
    await store.close();
    rmSync(root, { recursive: true, force: true });
  }
}

/** Waits until something holds; a test that waits in vain fails. */
async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let round = 0; round < 200; round++) {
    if (await holds()) return;
    await sleep(systemClock, 25);
  }
  assert.fail(`not within 5 s: ${what}`);
}

Deno.test("kill -9 of the worker half way leaves a clean state", () =>
  onMachine(async (machine) => {
    await using worker = machine.start("run", "id-a", "id-b", "id-c");
    await worker.said(/asks id-a/);
    await until(() => machine.asking(), "the question is under way");
    assert.deepEqual(await machine.states(), ["running", "queued", "queued"]);
    const [, pid] = await worker.said(/pid (\d+)/);
    Deno.kill(Number(pid), "SIGKILL");
    await worker.outcome.catch(() => {});
    assert.deepEqual(await machine.states(), ["stopped", "stopped", "stopped"]);
    // Not even the program that it had started goes on.
    await until(() => !machine.asking(), "what the worker had started ends");
    // And the next one works at once.
    await machine.add("id-a");
    await until(async () => (await machine.states()).join() === "success", "the next run ends");
  }));

Deno.test("stop ends a task that another process runs, within a moment", () =>
  onMachine(async (machine) => {
    await using worker = machine.start("run", "id-a", "id-b");
    await worker.said(/asks id-a/);
    await until(() => machine.asking(), "the question is under way");
    await using stopper = machine.start("stop");
    await stopper.outcome;
    const begin = Date.now();
    await worker.said(/id-a stopped/);
    assert.ok(Date.now() - begin < 2_000, "it took too long");
    assert.ok(!machine.asking());
    const { stdout, code } = await worker.outcome;
    assert.equal(code, 0);
    assert.match(stdout, /\["stopped","stopped"\]/);
  }));

Deno.test("two processes share one queue: one account is asked at a time", () =>
  onMachine(async (machine) => {
    await using one = machine.start("run", "id-a");
    await one.said(/asks id-a/);
    await using two = machine.start("run", "id-b");
    await until(async () => (await machine.states()).length === 2, "the second is there");
    await sleep(systemClock, 500);
    assert.deepEqual(await machine.states(), ["running", "queued"]);
    await using stopper = machine.start("stop");
    await stopper.outcome;
    for (const worker of [one, two]) assert.equal((await worker.outcome).code, 0);
  }));
