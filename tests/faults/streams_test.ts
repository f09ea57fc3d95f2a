import assert from "node:assert/strict";
import { turn } from "../codex/failover.ts";
import { Bed, said, SECOND } from "./bed.ts";

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

  // A limit in mid-answer is the account's own.
  bed.simulator.plan("a").fail({ kind: "sse", file: "failed-after-output.sse" });
  await (await bed.ask()).text();
  assert.equal(bed.order, "a a a");
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
