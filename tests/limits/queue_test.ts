import assert from "node:assert/strict";
import type { LimitQueue } from "../../src/limits/limit_queue.ts";
import { ANSWERED, onStage } from "./stage.ts";

/** States of a queue's tasks by account, in the order in which they run. */
async function states(queue: LimitQueue): Promise<string> {
  const { tasks } = await queue.state();
  return tasks.map(({ accountId, state }) => `${accountId.replace("id-", "")}:${state}`).join(" ");
}

const NOTHING = { running: false, done: 0, total: 0, stopped: false, tasks: [] };

Deno.test("queue: nothing is there before the first question, and looking makes no file", async () => {
  await onStage(async (stage) => {
    const queue = await stage.process("cli");
    assert.deepEqual(await queue.state(), NOTHING);
    await queue.settled();
    await queue.close();
    assert.deepEqual(stage.folder.names(), []);
  });
});

Deno.test("queue: one account after the other, with a pause between them", async () => {
  await onStage(async (stage) => {
    const { clock, asked } = stage;
    const queue = await stage.process("cli");
    await queue.add(["id-a", "id-b", "id-a"], "usage");
    await clock.advance(0);
    assert.equal(await states(queue), "a:running b:queued");
    assert.equal(asked.length, 1);
    assert.equal(asked[0]?.source, "usage");
    const begin = clock.now();
    asked[0]?.end(ANSWERED);
    await clock.advance(900);
    assert.equal(await states(queue), "a:success b:queued");
    await clock.advance(300);
    assert.equal(await states(queue), "a:success b:running");
    asked[0]?.end({ kind: "failed", error: "Why. Do this.", careful: false });
    await clock.advance(0);
    const state = await queue.state();
    assert.deepEqual({ ...state, tasks: [] }, {
      running: false,
      done: 2,
      total: 2,
      stopped: false,
      tasks: [],
    });
    assert.deepEqual(state.tasks[1], {
      accountId: "id-b",
      source: "usage",
      state: "error",
      queuedAt: begin,
      startedAt: begin + 1_050,
      endedAt: begin + 1_200,
      error: "Why. Do this.",
    });
  });
});

Deno.test("queue: the pause between two questions is left to chance, from half to one and a half", async () => {
  await onStage(async (stage) => {
    const queue = await stage.process("cli");
    await queue.add(["id-a", "id-b", "id-c"], "usage");
    await stage.clock.advance(0);
    for (const [chance, pause] of [[0, 500], [0.999, 1_499]] as const) {
      stage.chance = chance;
      stage.asked[0]?.end(ANSWERED);
      await stage.clock.advance(pause - 150);
      assert.equal(stage.asked.length, 0, `${chance}`);
      await stage.clock.advance(300);
      assert.equal(stage.asked.length, 1, `${chance}`);
    }
  });
});

Deno.test("queue: the setting for more lets more run at once, on the whole machine", async () => {
  await onStage(async (stage) => {
    stage.settings = { limitsAtOnce: 2, limitsGap: 0 };
    const one = await stage.process("one");
    const two = await stage.process("two");
    await one.add(["id-a", "id-b", "id-c"], "usage");
    await two.add(["id-d"], "usage");
    await stage.clock.advance(1_000);
    assert.equal(await states(two), "a:running b:running c:queued d:queued");
    stage.asked[0]?.end(ANSWERED);
    await stage.clock.advance(1_000);
    assert.equal(await states(two), "a:success b:running c:running d:queued");
  });
});

Deno.test("queue: what waits already is not added twice; what has ended is asked again", async () => {
  await onStage(async (stage) => {
    const queue = await stage.process("cli");
    await queue.add(["id-a", "id-b"], "usage");
    await stage.clock.advance(0);
    await queue.add(["id-b", "id-a", "id-c"], "usage");
    assert.equal(await states(queue), "a:running b:queued c:queued");
    stage.asked[0]?.end(ANSWERED);
    await stage.clock.advance(0);
    await queue.add(["id-a"], "usage");
    assert.equal(await states(queue), "b:queued c:queued a:queued");
  });
});

Deno.test("queue: results stay until the next run", async () => {
  await onStage(async (stage) => {
    const queue = await stage.process("cli");
    await queue.add(["id-a"], "usage");
    await stage.clock.advance(0);
    stage.asked[0]?.end(ANSWERED);
    await stage.clock.advance(0);
    await queue.close();
    const later = await stage.process("later");
    assert.equal(await states(later), "a:success");
    await later.add(["id-b"], "usage");
    assert.equal(await states(later), "b:queued");
  });
});

Deno.test("queue: stop ends what runs and what waits, at once", async () => {
  await onStage(async (stage) => {
    const queue = await stage.process("cli");
    await queue.add(["id-a", "id-b"], "usage");
    await stage.clock.advance(0);
    const signal = stage.asked[0]?.signal;
    await queue.stop();
    assert.ok(signal?.aborted);
    assert.equal(await states(queue), "a:stopped b:stopped");
    const state = await queue.state();
    assert.ok(state.stopped && !state.running);
    await stage.clock.advance(10_000);
    assert.equal(await states(queue), "a:stopped b:stopped");
    await queue.settled();
  });
});

Deno.test("queue: any process stops a task that another one runs, within a moment", async () => {
  await onStage(async (stage) => {
    const page = await stage.process("page");
    const cli = await stage.process("cli");
    await cli.add(["id-a", "id-b"], "exec");
    await stage.clock.advance(0);
    const signal = stage.asked[0]?.signal;
    await page.stop();
    await stage.clock.advance(200);
    assert.ok(signal?.aborted);
    assert.equal(await states(cli), "a:stopped b:stopped");
    assert.equal(stage.asked.length, 0);
  });
});

Deno.test("queue: a worker that dies leaves its own tasks stopped, and nothing waits for it", async () => {
  await onStage(async (stage) => {
    const cli = await stage.process("cli");
    const page = await stage.process("page");
    await cli.add(["id-a", "id-b"], "usage");
    await stage.clock.advance(0);
    assert.equal(await states(page), "a:running b:queued");
    cli.kill();
    assert.equal(await states(page), "a:stopped b:stopped");
    await page.settled();
    await page.add(["id-a"], "usage");
    await stage.clock.advance(100);
    assert.equal(await states(page), "a:running");
  });
});

Deno.test("queue: a task of another process's goes back to the queue when its worker dies", async () => {
  await onStage(async (stage) => {
    const cli = await stage.process("cli");
    const page = await stage.process("page");
    await cli.add(["id-a"], "usage");
    await stage.clock.advance(0);
    // The page wants the same figures now.
    await page.add(["id-a", "id-b"], "usage");
    assert.deepEqual(stage.asked.map(({ by }) => by), ["cli"]);
    cli.kill();
    await stage.clock.advance(300);
    assert.deepEqual(stage.asked.map(({ by, accountId }) => `${by} ${accountId}`), ["page id-a"]);
    stage.asked[0]?.end(ANSWERED);
    await stage.clock.advance(1_500);
    assert.equal(await states(page), "a:success b:running");
  });
});

Deno.test("queue: closing gives back what this process does for another one", async () => {
  await onStage(async (stage) => {
    const cli = await stage.process("cli");
    const page = await stage.process("page");
    await cli.add(["id-a"], "usage");
    await stage.clock.advance(0);
    await page.add(["id-a"], "usage");
    assert.deepEqual(stage.asked.map(({ by }) => by), ["cli"]);
    await cli.close();
    assert.equal(await states(page), "a:queued");
    await stage.clock.advance(2_000);
    assert.equal(await states(page), "a:running");
    assert.deepEqual(stage.asked.map(({ by }) => by), ["page"]);
    await page.close();
    assert.equal(await states(page), "a:stopped");
  });
});

Deno.test("queue: closing in the middle leaves nothing that runs", async () => {
  await onStage(async (stage) => {
    const cli = await stage.process("cli");
    await cli.add(["id-a", "id-b"], "usage");
    await stage.clock.advance(0);
    await cli.close();
    const later = await stage.process("later");
    assert.equal(await states(later), "a:stopped b:stopped");
    await cli.add(["id-c"], "usage");
    assert.equal(await states(later), "a:stopped b:stopped");
  });
});

Deno.test("queue: after a refused token five seconds pass before the next account is shown", async () => {
  await onStage(async (stage) => {
    const queue = await stage.process("cli");
    await queue.add(["id-a", "id-b"], "usage");
    await stage.clock.advance(0);
    stage.asked[0]?.end({ kind: "failed", error: "Refused.", careful: true });
    await stage.clock.advance(4_900);
    assert.equal(await states(queue), "a:error b:queued");
    await stage.clock.advance(400);
    assert.equal(await states(queue), "a:error b:running");
  });
});

Deno.test("queue: an account that is removed leaves it", async () => {
  await onStage(async (stage) => {
    await stage.accounts("a", "b");
    const queue = await stage.process("cli");
    await queue.add(["id-a", "id-b"], "usage");
    await stage.clock.advance(0);
    const store = await stage.folder.open();
    await store.remove("id-b");
    assert.equal(await states(queue), "a:running");
    await store.remove("id-a");
    await stage.clock.advance(200);
    assert.equal(stage.asked.length, 0);
    assert.deepEqual(await queue.state(), NOTHING);
  });
});

Deno.test("queue: a clock that was set back holds nobody up", async () => {
  await onStage(async (stage) => {
    const queue = await stage.process("cli");
    await queue.add(["id-a", "id-b"], "usage");
    await stage.clock.advance(0);
    stage.asked[0]?.end(ANSWERED);
    await stage.clock.advance(0);
    await queue.stop();
    await queue.close();
    stage.clock.jump(stage.clock.now() - 86_400_000);
    const later = await stage.process("later");
    await later.add(["id-c"], "usage");
    await stage.clock.advance(0);
    assert.equal(await states(later), "c:running");
    await later.close();
  });
});

Deno.test("queue: what is added while the worker is about to leave is worked on", async () => {
  await onStage(async (stage) => {
    stage.settings = { limitsAtOnce: 1, limitsGap: 0 };
    const queue = await stage.process("cli");
    await queue.add(["id-a"], "usage");
    await stage.clock.advance(0);
    // Added at every step of the way on which the worker finds that nothing is left.
    for (let delay = 0; delay < 60; delay++) {
      stage.asked[0]?.end(ANSWERED);
      for (let step = 0; step < delay; step++) await Promise.resolve();
      await queue.add([`id-${delay}`], "usage");
      await stage.clock.advance(1_000);
      assert.equal(stage.asked[0]?.accountId, `id-${delay}`, `after ${delay} steps`);
    }
  });
});

Deno.test("queue: a store that cannot be written any more is said, instead of waiting for ever", async () => {
  await onStage(async (stage) => {
    stage.settings = { limitsAtOnce: 1, limitsGap: 0 };
    const queue = await stage.process("cli");
    await queue.add(["id-a", "id-b"], "usage");
    await stage.clock.advance(0);
    stage.refusal = new Error("There is no space left.");
    stage.asked[0]?.end(ANSWERED);
    await stage.clock.advance(1_000);
    await assert.rejects(queue.state(), /no space left/);
    await assert.rejects(queue.settled(), /no space left/);
    stage.refusal = undefined;
    await queue.add(["id-c"], "usage");
    await stage.clock.advance(1_000);
    assert.equal((await queue.state()).running, true);
  });
});
