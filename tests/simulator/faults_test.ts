import {
  deepStrictEqual as deepEqual,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { faultFromFixture, type FixtureRow } from "./simulator.ts";
import { getBackend, postTurn } from "./test_client.ts";
import { withPlan } from "./with_plan.ts";

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
