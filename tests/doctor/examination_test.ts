import assert from "node:assert/strict";
import { type Check, ok, warning, wrong } from "../../src/doctor/check.ts";
import { afterMending, examine, mendFindings } from "../../src/doctor/examination.ts";
import { systemPrograms } from "../../src/doctor/program.ts";
import { Failure } from "../../src/platform/failure.ts";
import { VirtualClock } from "../virtual_clock.ts";

const check = (name: string, look: Check["look"], limitMs?: number): Check => ({
  group: "Group",
  name,
  look,
  ...(limitMs === undefined ? {} : { limitMs }),
});

Deno.test("one check that fails, throws or hangs hides no other, and they keep their order", async () => {
  const clock = new VirtualClock();
  let aborted = false;
  const examining = examine([
    check("throws", () => {
      throw new Error("a bug");
    }),
    check("hangs", (signal) => {
      signal.addEventListener("abort", () => aborted = true);
      return new Promise(() => {});
    }, 3_000),
    check("rejects", () => Promise.reject(new Failure("The file is broken.", "Mend it."))),
    check("works", () => ({ findings: [ok("works", "It works.")] })),
  ], clock);
  await clock.advance(3_000);
  const { results } = await examining;
  assert.deepEqual(results.map(({ name, state }) => [name, state]), [
    ["throws", "wrong"],
    ["hangs", "warning"],
    ["rejects", "wrong"],
    ["works", "ok"],
  ]);
  assert.deepEqual([results[2]?.text, results[2]?.fix], ["The file is broken.", "Mend it."]);
  assert.ok(results[0]?.fix, "a bug, too, has something to try");
  assert.match(results[1]?.text ?? "", /not be looked at within 3 s/);
  assert.ok(aborted, "what hangs is told to stop");
});

Deno.test("what several checks fail for is said once, by the first", async () => {
  const refuse = () => Promise.reject(new Failure("The address is bad.", "Unset it."));
  const { results } = await examine([
    check("settings", refuse),
    check("other", () => Promise.reject(new Failure("The address is bad.", "Another fix."))),
    check("issuer", refuse),
    check("backend", refuse),
  ], new VirtualClock());
  assert.deepEqual(results.map(({ name }) => name), ["settings", "other"]);
});

Deno.test("what there is no permission to look at is one line, and no fault", async () => {
  const refusal = new Error('Requires read access to "/there", run again with --allow-read');
  refusal.name = "NotCapable";
  const refuse = () => Promise.reject(refusal);
  const { results } = await examine([
    check("files", refuse),
    check("works", () => ({ findings: [ok("works", "It works.")] })),
    { ...check("program", refuse), group: "Other" },
    check("modes", () => Promise.reject(new Error("not read", { cause: refusal }))),
  ], new VirtualClock());
  assert.deepEqual(results.map(({ name, state }) => [name, state]), [
    ["works", "ok"],
    ["permissions", "unseen"],
  ]);
  assert.match(results[1]?.text ?? "", / look at Group \(files, modes\), Other \(program\)\.$/);
  assert.match(results[1]?.fix ?? "", / -A$/);
});

Deno.test("a token in an error is not shown", async () => {
  const token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzZWNyZXQifQ.c2lnbmF0dXJl";
  const { results } = await examine([
    check("throws", () => Promise.reject(new Error(`refused ${token}`))),
  ], new VirtualClock());
  assert.ok(!JSON.stringify(results).includes("eyJ"), JSON.stringify(results));
});

Deno.test("a fix that fails keeps no other from being made", async () => {
  const done: string[] = [];
  const sick = (name: string, mend: () => void) =>
    check(
      name,
      () => ({ findings: [wrong(name, "Sick.", "Mend.", "Mend it?")], mend: () => (mend(), {}) }),
    );
  const examination = await examine([
    sick("first", () => {
      throw new Failure("The disk is full.");
    }),
    sick("second", () => done.push("second")),
  ], new VirtualClock());
  const { failures } = await mendFindings(examination, () => true);
  assert.deepEqual(failures, ["The disk is full."]);
  assert.deepEqual(done, ["second"]);
});

Deno.test("mended is what a second look finds well, or does not find any more", async () => {
  const before = await examine([
    check("all", () => ({
      findings: [
        wrong("cured", "Sick.", "Mend.", "Mend it?"),
        wrong("gone", "In the way.", "Mend.", "Mend it?"),
        wrong("stubborn", "Sick.", "Mend.", "Mend it?"),
        wrong("follows", "Sick because of the others.", "Mend the others."),
        wrong("vanished", "Not mended, and not said any more.", "Mend."),
        warning("left", "Not chosen.", "Mend.", "Mend it?"),
      ],
    })),
  ], new VirtualClock());
  const [cured, gone, stubborn] = before.looks[0]?.look.findings ?? [];
  assert.ok(cured && gone && stubborn);
  const well = [ok("cured", "Well."), ok("follows", "Well.")];
  const after = [
    ...well,
    wrong("stubborn", "Sick.", "Mend."),
    warning("left", "Not chosen.", "Mend."),
  ]
    .map((one) => ({ group: "Group", ...one }));
  const results = afterMending(before.looks, after, new Set([cured, gone, stubborn]));
  assert.deepEqual(results.map(({ name, state, fixed }) => [name, state, fixed]), [
    ["cured", "ok", true],
    ["follows", "ok", true],
    ["stubborn", "wrong", undefined],
    ["left", "warning", undefined],
    ["gone", "ok", true],
  ]);
});

Deno.test({
  name: "a program that there is no permission to run is not one that fails",
  permissions: { run: false, env: true },
  fn: () =>
    assert.rejects(
      systemPrograms(new VirtualClock())("/bin/true", [], { env: {}, folder: "/", limitMs: 1_000 }),
      { name: "NotCapable" },
    ),
});
