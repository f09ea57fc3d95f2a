/** Several who ask about the same account: each is served, the way that each has asked for. */
import assert from "node:assert/strict";
import type { LimitQueue } from "../../src/limits/limit_queue.ts";
import { ANSWERED, onStage, type Stage } from "./stage.ts";

async function states(queue: LimitQueue): Promise<string[]> {
  const { tasks } = await queue.state();
  return tasks.map(({ accountId, source, state }) => `${accountId} ${source} ${state}`);
}

const asked = (stage: Stage) => stage.asked.map(({ by, source }) => `${by} ${source}`);

Deno.test("queue: who asks first keeps the question when somebody who asked later leaves", () =>
  onStage(async (stage) => {
    const [cli, page] = [await stage.process("cli"), await stage.process("page")];
    await cli.add(["id-a", "id-b"], "usage");
    await stage.clock.advance(0);
    await page.add(["id-a", "id-b"], "usage");
    await stage.clock.advance(0);
    await page.close();
    assert.deepEqual(await states(cli), ["id-a usage running", "id-b usage queued"]);
    assert.deepEqual(asked(stage), ["cli usage"]);
    await cli.close();
    const viewer = await stage.process("viewer");
    assert.deepEqual(await states(viewer), ["id-a usage stopped", "id-b usage stopped"]);
  }));

Deno.test("queue: of two who wait for a question one may die", () =>
  onStage(async (stage) => {
    const [cli, page] = [await stage.process("cli"), await stage.process("page")];
    const viewer = await stage.process("viewer");
    await cli.add(["id-a", "id-b"], "usage");
    await stage.clock.advance(0);
    await page.add(["id-b"], "usage");
    page.kill();
    assert.deepEqual(await states(viewer), ["id-a usage running", "id-b usage queued"]);
    cli.kill();
    assert.deepEqual(await states(viewer), ["id-a usage stopped", "id-b usage stopped"]);
  }));

Deno.test("queue: each way that an account is asked is a question of its own, one after the other", () =>
  onStage(async (stage) => {
    stage.settings = { limitsAtOnce: 3, limitsGap: 0 };
    const [cli, page] = [await stage.process("cli"), await stage.process("page")];
    await page.add(["id-a"], "auto");
    await stage.clock.advance(0);
    await cli.add(["id-a", "id-b"], "exec");
    await stage.clock.advance(200);
    assert.deepEqual(await states(cli), [
      "id-a auto running",
      "id-a exec queued",
      "id-b exec running",
    ]);
    stage.asked.find(({ source }) => source === "auto")?.end(ANSWERED);
    await stage.clock.advance(200);
    assert.deepEqual((await states(page)).slice(0, 2), ["id-a auto success", "id-a exec running"]);
    stage.asked.find(({ accountId }) => accountId === "id-a")
      ?.end({ kind: "failed", error: "No Codex.", careful: false });
    await stage.clock.advance(200);
    const { tasks } = await cli.state();
    assert.deepEqual(tasks.map(({ source, error }) => `${source} ${error ?? ""}`), [
      "auto ",
      "exec No Codex.",
      "exec ",
    ]);
  }));

Deno.test("queue: stop waits for nobody; a question that takes its time to end is not asked twice", () =>
  onStage(async (stage) => {
    stage.settings = { limitsAtOnce: 1, limitsGap: 0 };
    stage.deaf = true;
    const queue = await stage.process("cli");
    await queue.add(["id-a"], "usage");
    await stage.clock.advance(0);
    const [first] = stage.asked;
    await queue.stop();
    assert.ok(first?.signal.aborted);
    assert.deepEqual(await states(queue), ["id-a usage stopped"]);
    await queue.add(["id-a", "id-b"], "usage");
    await stage.clock.advance(1_000);
    assert.deepEqual(await states(queue), ["id-a usage queued", "id-b usage running"]);
    stage.asked.find(({ accountId }) => accountId === "id-b")?.end(ANSWERED);
    first?.end(ANSWERED);
    await stage.clock.advance(1_000);
    // What was stopped has said nothing about the new question.
    assert.deepEqual(await states(queue), ["id-a usage running", "id-b usage success"]);
    stage.deaf = false;
  }));

Deno.test("queue: closed right after it was asked, it waits for the question that begins", () =>
  onStage(async (stage) => {
    stage.deaf = true;
    const queue = await stage.process("cli");
    await queue.add(["id-a"], "usage");
    let closed = false;
    const closing = queue.close().then(() => closed = true);
    await stage.clock.advance(1_000);
    assert.equal(closed, stage.asked.length === 0);
    for (const one of [...stage.asked]) one.end(ANSWERED);
    await closing;
    assert.deepEqual(await states(await stage.process("viewer")), ["id-a usage stopped"]);
    stage.deaf = false;
  }));
