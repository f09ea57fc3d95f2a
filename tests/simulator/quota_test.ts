import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { FIXTURE_NOW, VirtualClock } from "../virtual_clock.ts";
import {
  type PlanOptions,
  type SimulatedPlan,
  type Simulator,
  startSimulator,
} from "./simulator.ts";
import { Quota } from "./quota.ts";
import { at, getBackend, postTurn } from "./test_client.ts";

const HOUR = 3_600_000;

async function withWindows(
  options: Omit<PlanOptions, "name">,
  run: (
    turn: () => Promise<Response>,
    plan: SimulatedPlan,
    clock: VirtualClock,
    usage: () => Promise<unknown>,
    simulator: Simulator,
  ) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const simulator = await startSimulator({ clock });
  try {
    const plan = simulator.addPlan({ name: "personal", ...options });
    const { accessToken } = plan.issueTokens();
    const turn = async () => {
      const response = await postTurn(simulator, plan, accessToken);
      const { status, headers } = response;
      return new Response(await response.text(), { status, headers });
    };
    const usage = async () =>
      await (await getBackend(simulator, plan, accessToken, "/wham/usage")).json();
    await run(turn, plan, clock, usage, simulator);
  } finally {
    await simulator.close();
  }
}

Deno.test("a window runs out, refuses the next request with its reset, and starts anew on the clock", () =>
  withWindows(
    { windows: [{ minutes: 300, costPercentPerRequest: 50 }, { minutes: 10_080 }] },
    async (turn, plan, clock) => {
      equal((await turn()).status, 200);
      await clock.advance(HOUR);
      equal((await turn()).status, 200);
      equal(plan.used(300), 100);
      const refused = await turn();
      equal(refused.status, 429);
      const resetsAt = (FIXTURE_NOW + 5 * HOUR) / 1000;
      deepEqual(await refused.json(), {
        error: {
          type: "usage_limit_reached",
          message: "The usage limit has been reached",
          plan_type: "plus",
          resets_at: resetsAt,
          resets_in_seconds: 4 * 3600,
          eligible_promo: null,
        },
      });
      equal(refused.headers.get("x-codex-primary-used-percent"), "100");
      equal(refused.headers.get("x-codex-primary-reset-at"), String(resetsAt));
      equal(refused.headers.get("x-codex-primary-reset-after-seconds"), "14400");
      equal(refused.headers.get("x-codex-rate-limit-reached-type"), "rate_limit_reached");
      equal(plan.served, 2);
      await clock.advance(4 * HOUR - 1);
      equal((await turn()).status, 429);
      await clock.advance(1);
      equal(plan.used(300), 0);
      // Nobody has started the new window: it runs from the next request on.
      await clock.advance(HOUR);
      const anew = await turn();
      equal(anew.status, 200);
      equal(anew.headers.get("x-codex-primary-reset-after-seconds"), String(5 * 3600));
    },
  ));

Deno.test("an answer is booked at its end, or at its start when the plan says so", async () => {
  const windows = [{ minutes: 300, costPercentPerRequest: 100 }];
  const shown = async (chargeAt: "start" | "end") => {
    let percent: string | null = null;
    await withWindows({ windows, chargeAt }, async (turn) => {
      const response = await turn();
      equal(response.status, 200);
      percent = response.headers.get("x-codex-primary-used-percent");
      equal((await turn()).status, 429);
    });
    return percent;
  };
  equal(await shown("end"), "0");
  equal(await shown("start"), "100");
});

Deno.test("a full week refuses although five hours are left, until the later reset", () =>
  withWindows({}, async (turn, plan, clock) => {
    plan.setUsed(10_080, 100, 48 * HOUR);
    plan.setUsed(300, 100, HOUR);
    equal(at(await (await turn()).json(), "error", "resets_in_seconds"), 48 * 3600);
    await clock.advance(HOUR);
    equal((await turn()).status, 429);
    await clock.advance(47 * HOUR);
    equal((await turn()).status, 200);
  }));

Deno.test("headers and the usage endpoint agree, and reading starts no window", () =>
  withWindows(
    { windows: [{ minutes: 300, usedPercent: 40, resetsInMs: 2 * HOUR }, { minutes: 10_080 }] },
    async (turn, plan, clock, usage) => {
      await usage();
      await clock.advance(HOUR);
      const before = await usage();
      equal(at(before, "rate_limit", "secondary_window", "reset_after_seconds"), 604_800);
      const { headers } = await turn();
      const body = await usage();
      deepEqual(at(body, "rate_limit", "primary_window"), {
        used_percent: 40,
        limit_window_seconds: 18_000,
        reset_after_seconds: 3600,
        reset_at: (FIXTURE_NOW + 2 * HOUR) / 1000,
      });
      deepEqual([...headers].filter(([name]) => name.startsWith("x-codex-primary")), [
        ["x-codex-primary-over-secondary-limit-percent", "0"],
        ["x-codex-primary-reset-after-seconds", "3600"],
        ["x-codex-primary-reset-at", String((FIXTURE_NOW + 2 * HOUR) / 1000)],
        ["x-codex-primary-used-percent", "40"],
        ["x-codex-primary-window-minutes", "300"],
      ]);
      equal(headers.get("x-codex-secondary-window-minutes"), "10080");
      await clock.advance(60_000);
      equal(at(await usage(), "rate_limit", "secondary_window", "reset_after_seconds"), 604_740);
      plan.setUsed(300, 99.6);
      equal(at(await usage(), "rate_limit", "primary_window", "used_percent"), 99);
      equal(at(await usage(), "rate_limit", "limit_reached"), false);
      equal((await turn()).headers.get("x-codex-primary-used-percent"), "99.6");
      plan.setUsed(300, 100);
      deepEqual(at(await usage(), "rate_limit_reached_type"), { type: "rate_limit_reached" });
      equal(at(await usage(), "rate_limit", "allowed"), false);
    },
  ));

Deno.test("a lone week is primary, and its missing neighbour has length 0", () =>
  withWindows(
    { planType: "pro", windows: [{ minutes: 10_080, usedPercent: 22 }] },
    async (turn, _plan, _clock, usage) => {
      const { headers } = await turn();
      equal(headers.get("x-codex-plan-type"), "pro");
      equal(headers.get("x-codex-primary-window-minutes"), "10080");
      equal(headers.get("x-codex-secondary-window-minutes"), "0");
      equal(headers.get("x-codex-secondary-reset-at"), "");
      equal(headers.get("x-codex-secondary-reset-after-seconds"), "0");
      equal(at(await usage(), "rate_limit", "secondary_window"), null);
    },
  ));

Deno.test("a slot can be chosen", () =>
  withWindows(
    { windows: [{ minutes: 300 }, { minutes: 10_080, slot: "primary" }] },
    async (turn) => {
      const { headers } = await turn();
      equal(headers.get("x-codex-primary-window-minutes"), "10080");
      equal(headers.get("x-codex-secondary-window-minutes"), "300");
    },
  ));

Deno.test("a plan without windows is never refused and has no rate limit", () =>
  withWindows({ windows: [] }, async (turn, plan, _clock, usage) => {
    const { status, headers } = await turn();
    deepEqual([status, headers.get("x-codex-primary-window-minutes")], [200, "0"]);
    equal(at(await usage(), "rate_limit"), null);
    throws(() => plan.used(300), /no window of 300 minutes; it has: none/);
  }));

Deno.test("windows that cannot be told apart or placed are refused", () => {
  const clock = new VirtualClock();
  throws(() => new Quota(clock, [{ minutes: 300 }, { minutes: 300 }]), /told apart/);
  throws(() => new Quota(clock, [{ minutes: 1 }, { minutes: 2 }, { minutes: 3 }]), /at most two/);
  throws(
    () => new Quota(clock, [{ minutes: 1, slot: "primary" }, { minutes: 2, slot: "primary" }]),
    /Two windows want the slot primary/,
  );
});

Deno.test("whatever happens, a request is admitted exactly while every window is below 100 %", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("turn" as const) }),
    fc.record({ kind: fc.constant("wait" as const), minutes: fc.integer({ min: 1, max: 400 }) }),
    fc.record({ kind: fc.constant("set" as const), percent: fc.integer({ min: 0, max: 100 }) }),
  );
  fc.assert(fc.property(fc.array(step), fc.integer({ min: 0, max: 60 }), (steps, cost) => {
    const clock = new VirtualClock();
    const quota = new Quota(clock, [{ minutes: 300, costPercentPerRequest: cost }]);
    let used = 0;
    let resetsAt = Infinity;
    for (const step of steps) {
      if (step.kind === "wait") clock.jump(clock.now() + step.minutes * 60_000);
      if (clock.now() >= resetsAt) [used, resetsAt] = [0, Infinity];
      if (step.kind === "set") {
        quota.setUsed(300, step.percent);
        used = step.percent;
        resetsAt = Math.min(resetsAt, clock.now() + 300 * 60_000);
      }
      if (step.kind === "turn") {
        const refusal = quota.admit();
        equal(refusal === null, used < 100);
        if (refusal) {
          equal(refusal.resetsAt, resetsAt);
        } else {
          quota.charge();
          used = Math.min(100, used + cost);
          resetsAt = Math.min(resetsAt, clock.now() + 300 * 60_000);
        }
      }
      equal(quota.used(300), used);
    }
  }));
});
