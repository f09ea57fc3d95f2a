import {
  deepStrictEqual as deepEqual,
  match,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { VirtualClock } from "../virtual_clock.ts";
import {
  type Fault,
  faultFromFixture,
  type FixtureRow,
  type SimulatedPlan,
  type Simulator,
  startSimulator,
} from "./simulator.ts";
import { at, eventsIn, getBackend, postTurn, textIn } from "./test_client.ts";

async function withPlan(
  run: (
    simulator: Simulator,
    plan: SimulatedPlan,
    turn: (signal?: AbortSignal) => Promise<Response>,
    clock: VirtualClock,
  ) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const simulator = await startSimulator({ clock });
  try {
    const plan = simulator.addPlan({
      name: "personal",
      windows: [{ minutes: 300, costPercentPerRequest: 10 }],
    });
    const { accessToken } = plan.issueTokens();
    const turn = (signal?: AbortSignal) =>
      postTurn(simulator, plan, accessToken, signal ? { signal } : {});
    await run(simulator, plan, turn, clock);
  } finally {
    await simulator.close();
  }
}

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

Deno.test("every recorded error is answered to the letter", () =>
  withPlan(async (_simulator, plan, turn) => {
    const file = new URL("../fixtures/codex/errors.json", import.meta.url);
    const rows: FixtureRow[] = JSON.parse(readFileSync(file, "utf8"));
    equal(rows.length > 30, true);
    for (const row of rows) {
      plan.fail(faultFromFixture(row));
      const response = await turn();
      const text = await response.text();
      equal(response.status, row.status);
      deepEqual(typeof row.body === "string" ? text : JSON.parse(text), row.body);
      for (const [name, value] of Object.entries(row.headers ?? {})) {
        equal(response.headers.get(name), value, name);
      }
      const rates = [...response.headers.keys()].filter((name) => name.startsWith("x-codex"));
      deepEqual(rates.filter((name) => !(name in (row.headers ?? {}))), []);
    }
    equal(plan.used(300), 0);
    equal((await turn()).status, 200);
  }));

Deno.test("every recorded stream is played byte for byte", () =>
  withPlan(async (_simulator, plan, turn) => {
    const folder = new URL("../fixtures/sse/", import.meta.url);
    for (const file of readdirSync(folder)) {
      plan.fail({ kind: "sse", file });
      const response = await turn();
      equal(response.headers.get("x-codex-primary-window-minutes"), "300");
      const bytes = new Uint8Array(await response.arrayBuffer());
      deepEqual(bytes, new Uint8Array(readFileSync(new URL(file, folder))), file);
    }
    plan.fail({ kind: "sse", file: "ok.sse", headers: { "x-codex-primary-used-percent": "77" } });
    const response = await turn();
    equal(response.headers.get("x-codex-primary-used-percent"), "77");
    await response.body?.cancel();
  }));

Deno.test("faults come in order, each as often as scripted, and then answers are good again", () =>
  withPlan(async (_simulator, plan, turn) => {
    plan.fail({ kind: "status", status: 500 }, 2);
    plan.fail({ kind: "status", status: 503 });
    const statuses = [];
    for (let round = 0; round < 4; round++) {
      const response = await turn();
      statuses.push(response.status);
      await response.body?.cancel();
    }
    deepEqual(statuses, [500, 500, 503, 200]);
    plan.fail({ kind: "status", status: 502 }, Infinity);
    for (let round = 0; round < 3; round++) equal((await (await turn()).text()).length, 0);
    plan.clearFaults();
    equal((await turn()).status, 200);
    throws(() => plan.fail({ kind: "refuse" }, 0), /at least once, not 0 times/);
  }));

Deno.test("faults of the simulator meet whoever comes first", () =>
  withPlan(async (simulator, plan, turn) => {
    simulator.fail({ kind: "status", status: 403 });
    plan.fail({ kind: "status", status: 500 });
    equal((await turn()).status, 403);
    equal((await turn()).status, 500);
    simulator.fail({ kind: "refuse" }, Infinity);
    simulator.clearFaults();
    equal((await turn()).status, 200);
    deepEqual(simulator.requests.map((record) => record.fault), ["status", "status", null]);
  }));

Deno.test("one usage endpoint can fail while the other answers", () =>
  withPlan(async (simulator, plan) => {
    const { accessToken } = plan.issueTokens();
    const status = async (path: string) => {
      const response = await getBackend(simulator, plan, accessToken, path);
      await response.body?.cancel();
      return response.status;
    };
    plan.fail({ kind: "status", status: 403, body: { detail: "Forbidden" } }, 1, "wham/usage");
    plan.fail({ kind: "status", status: 500 }, 1, "models");
    equal(await status("/codex/usage"), 200);
    equal(await status("/wham/usage"), 403);
    equal(await status("/wham/usage"), 200);
    equal(await status("/codex/models?client_version=1.0.0"), 500);
    throws(() => plan.fail({ kind: "sse", file: "ok.sse" }, 1, "models"), /needs a stream/);
    throws(
      () => plan.fail({ kind: "delay", ms: 1, then: { kind: "cut", afterEvents: 1 } }, 1, "models"),
      /needs a stream/,
    );
  }));

Deno.test("a request without a good token uses up no fault", () =>
  withPlan(async (simulator, plan, turn) => {
    plan.fail({ kind: "status", status: 500 });
    const bad = await postTurn(simulator, plan, "unknown");
    equal(bad.status, 401);
    await bad.body?.cancel();
    equal((await turn()).status, 500);
  }));

Deno.test("a refused connection ends before any header", () =>
  withPlan(async (simulator, plan, turn) => {
    plan.fail({ kind: "refuse" });
    await rejects(turn());
    const record = await simulator.waitFor((record) => record.fault === "refuse");
    await record.closed;
    deepEqual([record.status, record.aborted], [null, false]);
    equal((await turn()).status, 200);
  }));

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

Deno.test("a delay passes on the clock, then the answer is good or as scripted", () =>
  withPlan(async (simulator, plan, turn, clock) => {
    plan.fail({ kind: "delay", ms: 1_000 });
    plan.fail({ kind: "delay", ms: 1_000, then: { kind: "status", status: 503 } });
    for (const status of [200, 503]) {
      const count = simulator.requests.length;
      const late = turn();
      await simulator.waitFor((record) => simulator.requests.indexOf(record) === count);
      await clock.advance(999);
      equal(simulator.requests.at(-1)?.status, null);
      await clock.advance(1);
      const response = await late;
      equal(response.status, status);
      await response.body?.cancel();
    }
  }));

Deno.test("who leaves during a delay gets no answer and is not charged", () =>
  withPlan(async (simulator, plan, turn, clock) => {
    plan.fail({ kind: "delay", ms: 1_000 });
    plan.fail({ kind: "delay", ms: 1_000, then: { kind: "status", status: 503 } });
    for (const index of [0, 1]) {
      const controller = new AbortController();
      const late = turn(controller.signal).catch(() => "aborted");
      const record = await simulator.waitFor((seen) => seen === simulator.requests[index]);
      controller.abort();
      equal(await late, "aborted");
      await record.closed;
      await clock.advance(1_000);
      deepEqual([record.aborted, record.status, plan.used(300), plan.served], [true, null, 0, 0]);
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
