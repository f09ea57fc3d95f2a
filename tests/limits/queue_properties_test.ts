import assert from "node:assert/strict";
import fc from "fast-check";
import { ANSWERED, onStage, type Stage } from "./stage.ts";

const PROCESSES = ["one", "two", "three"] as const;
const ACCOUNTS = ["id-a", "id-b", "id-c", "id-d"] as const;

type Live = Awaited<ReturnType<Stage["process"]>>;

/** Anything that people, programs and time do to the queue. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("add" as const),
      by: fc.constantFrom(...PROCESSES),
      what: fc.subarray([...ACCOUNTS], { minLength: 1 }),
      source: fc.constantFrom("usage" as const, "auto" as const),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(2_500) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("end" as const), well: fc.boolean(), at: fc.nat(3) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("stop" as const, "kill" as const, "close" as const),
      by: fc.constantFrom(...PROCESSES),
    }),
  },
);

/** What must hold at every moment, whoever looks. */
async function check(stage: Stage, viewer: Live): Promise<void> {
  const state = await viewer.state();
  const { tasks } = state;
  const count = (name: string) => tasks.filter((task) => task.state === name).length;
  assert.ok(count("running") <= stage.settings.limitsAtOnce, "too many at once");
  assert.ok(stage.asked.length <= stage.settings.limitsAtOnce, "more are asked than run");
  const keys = tasks.map(({ accountId, source }) => `${accountId} ${source}`);
  assert.equal(new Set(keys).size, tasks.length);
  const running = tasks.filter((task) => task.state === "running");
  assert.equal(new Set(running.map(({ accountId }) => accountId)).size, running.length);
  assert.equal(state.total, tasks.length);
  assert.equal(state.done, tasks.length - count("running") - count("queued"));
  assert.equal(state.running, state.done < state.total);
  for (const task of tasks) {
    assert.equal(task.error !== undefined, task.state === "error");
    const pending = task.state === "queued" || task.state === "running";
    assert.equal(task.endedAt !== undefined, !pending);
    if (task.state === "running" || task.state === "success") assert.ok(task.startedAt);
  }
}

for (const limitsAtOnce of [1, 3]) {
  Deno.test(`queue: any order of adding, stopping, dying and closing keeps it whole (${limitsAtOnce} at once)`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), (steps) =>
        onStage(async (stage) => {
          stage.settings = { limitsAtOnce, limitsGap: 1_000 };
          const viewer = await stage.process("viewer");
          const live = new Map<string, Live>();
          let born = 0;
          const process = async (name: string): Promise<Live> => {
            // A process that has died or ended comes back as another one.
            const known = live.get(name) ?? await stage.process(`${name}${born++}`);
            live.set(name, known);
            return known;
          };
          for (const one of steps) {
            if (one.do === "wait") await stage.clock.advance(one.ms);
            else if (one.do === "end") {
              stage.asked[one.at % Math.max(stage.asked.length, 1)]?.end(
                one.well ? ANSWERED : { kind: "failed", error: "No.", careful: false },
              );
            } else if (one.do === "add") await (await process(one.by)).add(one.what, one.source);
            else if (one.do === "stop") {
              await (await process(one.by)).stop();
              assert.equal((await viewer.state()).running, false);
            } else {
              if (one.do === "kill") live.get(one.by)?.kill();
              else await live.get(one.by)?.close();
              live.delete(one.by);
            }
            await stage.clock.advance(0);
            await check(stage, viewer);
          }
          // Whatever was begun comes to an end while somebody answers.
          for (let round = 0; (await viewer.state()).running; round++) {
            assert.ok(round < 60, "it never ends");
            for (const asked of [...stage.asked]) asked.end(ANSWERED);
            await stage.clock.advance(1_000);
            await check(stage, viewer);
          }
          for (const one of live.values()) await one.close();
          await stage.clock.advance(1_000);
          assert.equal(stage.asked.length, 0, "somebody is still asked");
        })),
      { numRuns: 30 },
    );
  });
}
