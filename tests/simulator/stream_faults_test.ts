import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import type { Fault } from "./simulator.ts";
import { at, eventsIn, textIn } from "./test_client.ts";
import { withPlan } from "./with_plan.ts";

/** Reads a stream as far as it goes: its text and whether it ended in order. */
async function readAsFarAsItGoes(response: Response): Promise<{ text: string; whole: boolean }> {
  let text = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    return { text, whole: true };
  } catch {
    return { text, whole: false };
  }
}

Deno.test("a cut stream breaks after exactly so many events, and still costs", () =>
  withPlan(async (simulator, plan, turn) => {
    for (const afterEvents of [0, 1, 5]) {
      plan.fail({ kind: "cut", afterEvents });
      const read = await readAsFarAsItGoes(await turn());
      deepEqual([eventsIn(read.text).length, read.whole], [afterEvents, false]);
    }
    await simulator.requests.at(-1)?.closed;
    equal(plan.used(300), 20);
    equal(plan.served, 0);
    deepEqual(simulator.requests.map((record) => record.aborted), [false, false, false]);
  }));

Deno.test("a stream that ends early looks whole and says nothing of its end", () =>
  withPlan(async (_simulator, plan, turn) => {
    plan.fail({ kind: "end-early", afterEvents: 7 });
    const read = await readAsFarAsItGoes(await turn());
    deepEqual([eventsIn(read.text).length, read.whole], [7, true]);
    equal(read.text.includes("response.completed"), false);
    equal(plan.served, 0);
  }));

Deno.test("a stall can come before the headers, after them, or between events", () =>
  withPlan(async (simulator, plan, turn) => {
    plan.fail({ kind: "stall" });
    const silent = new AbortController();
    const pending = turn(silent.signal).then(() => "headers", () => "aborted");
    const first = await simulator.waitFor((record) => record.fault === "stall");
    equal(first.status, null);
    silent.abort();
    equal(await pending, "aborted");
    await first.closed;
    equal(first.aborted, true);

    for (const afterEvents of [0, 4]) {
      plan.fail({ kind: "stall", afterEvents });
      const controller = new AbortController();
      const response = await turn(controller.signal);
      equal(response.status, 200);
      const reading = readAsFarAsItGoes(response);
      const record = simulator.requests.at(-1);
      await simulator.waitFor((seen) => seen === record && seen.events === afterEvents);
      controller.abort();
      const read = await reading;
      await record?.closed;
      deepEqual([read.whole, record?.aborted, record?.events], [false, true, afterEvents]);
    }
  }));

Deno.test("a usage limit can come inside a 200, first or after created, and costs nothing", () =>
  withPlan(async (_simulator, plan, turn) => {
    const expected: [Fault, string[]][] = [
      [{ kind: "usage-limit-in-stream", after: "nothing" }, ["response.failed"]],
      [{ kind: "usage-limit-in-stream", after: "created" }, [
        "response.created",
        "response.failed",
      ]],
    ];
    for (const [fault, types] of expected) {
      plan.fail(fault);
      const response = await turn();
      equal(response.status, 200);
      const events = eventsIn(await response.text());
      deepEqual(events.map((event) => event.type), types);
      const error = at(events.at(-1), "response", "error");
      equal(at(error, "code"), "usage_limit_reached");
      equal(at(error, "resets_in_seconds"), 300 * 60);
    }
    equal(plan.used(300), 0);
    match(textIn(await (await turn()).text()), /^Answer 1 /);
  }));

Deno.test("a client that leaves in the middle of an answer is recorded as gone", () =>
  withPlan(async (simulator, plan, turn) => {
    let say = (_text: string) => {};
    simulator.reply = () => new Promise<string>((resolve) => say = resolve);
    const controller = new AbortController();
    const late = turn(controller.signal).catch(() => "aborted");
    const record = await simulator.waitFor(() => true);
    controller.abort();
    equal(await late, "aborted");
    await record.closed;
    say("too late");
    simulator.reply = "in time";
    await (await turn()).text();
    deepEqual([record.aborted, record.status, plan.served, plan.used(300)], [true, null, 1, 10]);
  }));

Deno.test("however a stream is split, its bytes are the same", () =>
  withPlan(async (simulator, plan, turn) => {
    simulator.reply = "Grüße, 世界 🙂 – so many bytes";
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), async (chunkBytes) => {
        plan.setUsed(300, 0);
        simulator.chunkBytes = chunkBytes;
        const text = await (await turn()).text();
        equal(textIn(text), "Grüße, 世界 🙂 – so many bytes");
        equal(eventsIn(text).at(-1)?.type, "response.completed");
      }),
      { numRuns: 8 },
    );
    simulator.chunkBytes = 7;
    const pieces: number[] = [];
    for await (const piece of (await turn()).body ?? []) pieces.push(piece.length);
    equal(pieces.length > 20, true, `only ${pieces.length} pieces`);
  }));
