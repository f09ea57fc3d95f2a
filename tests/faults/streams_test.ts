import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { turn } from "../codex/failover.ts";
import { Bed, said, SECOND } from "./bed.ts";

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/sse/${name}`, import.meta.url), "utf8");
}

Deno.test("stream stalls before the first useful event", async () => {
  for (const afterEvents of [undefined, 0, 2]) {
    await using bed = await Bed.open({ env: { OPENCODE_MULTI_AUTH_STALL_MS: "30000" } });
    bed.simulator.plan("a").fail({
      kind: "stall",
      ...(afterEvents === undefined ? {} : { afterEvents }),
    });
    const answer = bed.ask();
    await bed.simulator.waitFor((one) =>
      one.plan === "a" && one.events === (afterEvents ?? 0) &&
      (afterEvents === undefined || one.status === 200)
    );
    // What was written must have been read before the clock moves.
    await new Promise((resolve) => setTimeout(resolve, 30));
    await bed.clock.advance(30 * SECOND - 1);
    assert.equal(bed.order, "a");
    await bed.clock.advance(200);
    assert.match(await said(await answer), /served by b/);
    assert.equal(bed.order, "a b");
    assert.equal(await bed.blockedUntil("a"), undefined);
  }
});

Deno.test("stream breaks after useful output", async () => {
  await using bed = await Bed.open();
  bed.simulator.reply = () => "one two three four";
  bed.simulator.plan("a").fail({ kind: "cut", afterEvents: 6 });
  const text = await (await bed.ask()).text();
  assert.match(text, /response\.output_text\.delta/);
  assert.match(text, /"type":\s*"error".*connection_lost/);
  assert.equal(bed.order, "a", "nobody else may say the same again");
  assert.equal(await bed.blockedUntil("a"), undefined, "no blame");
  await (await bed.ask()).text();
  assert.equal(bed.order, "a a", "affinity stays");

  // So it does when the backend itself says that something went wrong over there.
  bed.simulator.plan("a").fail({ kind: "sse", file: "failed-after-output.sse" });
  await (await bed.ask()).text();
  await (await bed.ask()).text();
  assert.equal(bed.order, "a a a a");
});

Deno.test("a limit in the middle of an answer: it passes as it is, and the next turn is another account's", async () => {
  await using bed = await Bed.open();
  const failed = fixture("failed-after-output.sse").replace(
    '"code":"server_error"',
    '"code":"usage_limit_reached","resets_in_seconds":7200',
  );
  const folder = mkdtempSync(join(tmpdir(), "limit-"));
  const file = join(folder, "limit-after-output.sse");
  writeFileSync(file, failed);
  bed.simulator.plan("a").fail({ kind: "sse", file });
  assert.equal(await (await bed.ask()).text(), failed, "byte for byte");
  rmSync(folder, { recursive: true });
  assert.equal(bed.order, "a", "nobody else may say the same again");
  assert.equal(await bed.blockedUntil("a"), bed.clock.now() + 7_200 * SECOND);
  assert.match(await said(await bed.ask()), /served by b/);
  assert.match(await said(await bed.ask()), /served by b/);
  assert.equal(bed.order, "a b b", "one move");
  await bed.client.store.flush();
  const { figures } = await bed.client.store.load();
  assert.deepEqual([figures.get("id-a")?.uses ?? 0, figures.get("id-b")?.uses], [0, 2]);
});

Deno.test("as long as nothing else is set an answer may be silent for 30 s before its first useful event, and for 120 s behind it", async () => {
  await using bed = await Bed.open();
  const { simulator, clock } = bed;
  simulator.plan("a").fail({ kind: "stall" });
  const first = bed.ask();
  await simulator.waitFor((one) => one.plan === "a");
  await clock.advance(30 * SECOND - 1);
  assert.equal(bed.order, "a");
  await clock.advance(1);
  await bed.until(() => bed.order === "a b");
  assert.match(await said(await first), /served by b/);

  simulator.plan("b").fail({ kind: "stall", afterEvents: 6 });
  const reader = (await bed.ask()).body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let over = false;
  const reading = (async () => {
    for (let step = await reader.read(); !step.done; step = await reader.read()) text += step.value;
    over = true;
  })();
  await bed.until(() => text.includes("output_text.delta"));
  await clock.advance(120 * SECOND - 1);
  assert.equal(over, false);
  await clock.advance(1);
  await bed.until(() => over);
  await reading;
  assert.match(text, /"type":\s*"error".*connection_lost/);
});

Deno.test("a 200 stream ends cleanly without `response.completed`, `response.incomplete` or `response.failed`", async () => {
  await using bed = await Bed.open();
  bed.simulator.plan("a").fail({ kind: "end-early", afterEvents: 6 });
  const text = await (await bed.ask()).text();
  assert.match(text, /"type":\s*"error".*connection_lost/);
  assert.equal(bed.order, "a");
  // Before anything useful it is the next account's turn.
  bed.simulator.plan("a").fail({ kind: "end-early", afterEvents: 2 });
  assert.match(await said(await bed.ask()), /served by b/);
});

Deno.test("abort by the user (Esc)", async () => {
  for (const afterEvents of [undefined, 0, 6]) {
    await using bed = await Bed.open();
    bed.simulator.plan("a").fail({
      kind: "stall",
      ...(afterEvents === undefined ? {} : { afterEvents }),
    });
    const user = new AbortController();
    const answer = bed.ask("s", { ...turn("s"), signal: user.signal });
    const reading = answer.then((one) => one.text());
    reading.catch(() => {});
    const record = await bed.simulator.waitFor((one) =>
      one.plan === "a" && one.events === (afterEvents ?? 0)
    );
    if (afterEvents === 6) await answer;
    user.abort(new DOMException("Esc", "AbortError"));
    await assert.rejects(reading, { name: "AbortError" });
    await record.closed;
    assert.equal(record.aborted, true, "upstream is let go");
    assert.equal(bed.order, "a", "no retry");
    assert.equal(await bed.blockedUntil("a"), undefined, "no blame");
  }
});
