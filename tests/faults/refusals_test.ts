import assert from "node:assert/strict";
import { turn } from "../codex/failover.ts";
import type { Fault } from "../simulator/simulator.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { Bed, errorIn, HOUR, recorded, said, SECOND } from "./bed.ts";

Deno.test("401 `token_invalidated`, the refresh token is good", async () => {
  await using bed = await Bed.open();
  bed.simulator.plan("a").invalidateAccessTokens();
  assert.match(await said(await bed.ask()), /served by a/);
  assert.equal(bed.order, "a a");
  assert.deepEqual(bed.simulator.tokenCalls.map((one) => [one.grant, one.plan, one.ok]), [
    ["refresh_token", "a", true],
  ]);
  assert.equal((await bed.account("a"))?.setAside, undefined);
});

Deno.test("401 again after a good refresh", async () => {
  await using bed = await Bed.open({ plans: ["a", "b", "c", "d"].map((name) => ({ name })) });
  for (const name of ["a", "b", "c"]) {
    bed.simulator.plan(name).fail(recorded("401_token_invalidated"), Infinity);
  }
  assert.match(await said(await bed.patiently(bed.ask())), /served by d/);
  assert.equal(bed.order, "a a b b c c d");
  for (const name of ["a", "b", "c"]) {
    assert.equal((await bed.account(name))?.setAside?.reason, "needs login");
  }
  const shown = [
    ...bed.turns.map(({ plan, at }) => ({ plan, at })),
    ...bed.simulator.tokenCalls.map(({ plan, at }) => ({ plan, at })),
  ];
  for (const { at } of shown) {
    const near = new Set(
      shown.filter((one) => one.at >= at && one.at < at + 5 * SECOND).map((one) => one.plan),
    );
    assert.ok(near.size <= 2, `${[...near]} shown within 5 s`);
  }
});

Deno.test("402 `deactivated_workspace`", async () => {
  await using bed = await Bed.open();
  bed.simulator.plan("a").fail(recorded("402_deactivated_workspace"));
  const before = await bed.account("a");
  assert.match(await said(await bed.ask()), /served by b/);
  const after = await bed.account("a");
  assert.equal(after?.setAside?.reason, "workspace deactivated");
  assert.deepEqual(after?.credentials, before?.credentials, "kept");
});

Deno.test("403 Cloudflare page (HTML, `cf-mitigated`)", async () => {
  await using bed = await Bed.open();
  for (const name of ["a", "b", "c"]) {
    bed.simulator.plan(name).fail(recorded("403_cloudflare_page"), Infinity);
  }
  const answer = await bed.patiently(bed.ask());
  assert.ok(bed.turns.length > 1 && bed.turns.every((one) => one.plan === "a"), bed.order);
  assert.ok(bed.clock.now() - FIXTURE_NOW <= 14 * SECOND);
  assert.equal(answer.status, 403);
  const { message } = await errorIn(answer);
  assert.doesNotMatch(message, /</);
  assert.equal(await bed.blockedUntil("a"), undefined);

  const before = bed.clock.now();
  await bed.patiently(bed.ask());
  assert.ok((bed.turns.at(-1)?.at ?? 0) >= before + 9 * SECOND, "the wait grows over requests");

  await using passing = await Bed.open();
  passing.simulator.plan("a").fail(recorded("403_cloudflare_page"));
  assert.match(await said(await passing.patiently(passing.ask())), /served by a/);
});

Deno.test("403 from the usage endpoint", async () => {
  await using bed = await Bed.open();
  const { simulator } = bed;
  simulator.plan("a").setUsed(300, 100, 3 * HOUR);
  for (const endpoint of ["wham/usage", "codex/usage"] as const) {
    simulator.plan("a").fail({ kind: "status", status: 403, body: "<html>" }, Infinity, endpoint);
  }
  await said(await bed.ask());
  const question = simulator.waitFor((one) =>
    one.path.endsWith("/codex/usage") && one.status === 403
  );
  await bed.patiently(question);
  assert.equal((await bed.account("a"))?.setAside, undefined);
  assert.equal(await bed.blockedUntil("a"), FIXTURE_NOW + 3 * HOUR, "as the 429 had it");
});

Deno.test('400 `invalid_encrypted_content`, or the text "encrypted content … could not be verified" with a null code', async () => {
  for (const name of ["400_invalid_encrypted_content", "400_encrypted_content_null_code"]) {
    await using bed = await Bed.open();
    bed.simulator.plan("a").fail(recorded(name));
    const input = [
      { role: "user", content: "hi" },
      { type: "reasoning", encrypted_content: "gAAA-foreign", summary: [] },
    ];
    assert.match(await said(await bed.ask("s", turn("s", { input }))), /served by a/, name);
    assert.equal(bed.order, "a a");
    assert.deepEqual(JSON.parse(bed.turns[1]?.body ?? "").input, [input[0]]);
    // Once: refused again, the answer is shown.
    bed.simulator.plan("a").fail(recorded(name), Infinity);
    assert.equal((await bed.ask("s", turn("s", { input }))).status, 400);
    assert.equal(bed.order, "a a a a");
  }
});

Deno.test("400 model not supported for this account", async () => {
  await using bed = await Bed.open({
    plans: [{ name: "a", models: ["gpt-5.5"] }, { name: "b" }],
  });
  bed.simulator.plan("a").fail(recorded("400_model_not_supported"));
  const spark = turn("s", { model: "spark" });
  assert.match(await said(await bed.ask("s", spark)), /served by b/);
  assert.ok((await bed.blockedUntil("a", "spark") ?? 0) > bed.clock.now());
  assert.equal(await bed.blockedUntil("a"), undefined);
  const served = [await bed.ask("other"), await bed.ask("third")];
  assert.ok((await Promise.all(served.map(said))).some((one) => /served by a/.test(one)));
});

Deno.test("500, 502, 503, 504, ECONNRESET, DNS failure", async () => {
  const faults: Fault[] = [
    ...[500, 502, 503, 504].map((status) => ({ kind: "status", status, body: "trouble" }) as const),
    { kind: "refuse" },
    { kind: "cut", afterEvents: 0 },
    { kind: "cut", afterEvents: 1 },
    recorded("503_overloaded"),
  ];
  for (const fault of faults) {
    await using bed = await Bed.open();
    bed.simulator.plan("a").fail(fault);
    assert.match(await said(await bed.ask()), /served by b/, JSON.stringify(fault));
    assert.equal(bed.order, "a b");
    assert.equal((await bed.client.store.load()).blocks.length, 0, "the good name stays");
    assert.equal((await bed.account("a"))?.setAside, undefined);
  }
  let calls = 0;
  await using bed = await Bed.open({
    fetch: (input, init) => {
      if (calls++ > 0) return fetch(input, init);
      const cause = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
      return Promise.reject(new TypeError("fetch failed", { cause }));
    },
  });
  assert.match(await said(await bed.ask()), /served by b/);

  await using down = await Bed.open();
  for (const name of ["a", "b", "c"]) {
    down.simulator.plan(name).fail({ kind: "status", status: 502, body: "trouble" }, Infinity);
  }
  assert.equal((await down.ask()).status, 502);
  assert.equal(down.order, "a b c", "bounded");
});

Deno.test("413, 400 context too long, `cyber_policy`, any other 4xx", async () => {
  for (
    const name of [
      "413_too_large",
      "400_context_too_long",
      "400_cyber_policy",
      "400_unsupported_content_type",
      "403_json",
    ]
  ) {
    await using bed = await Bed.open();
    const fault = recorded(name);
    assert.ok(fault.kind === "status");
    bed.simulator.plan("a").fail(fault);
    const answer = await bed.ask();
    assert.equal(answer.status, fault.status, name);
    const text = typeof fault.body === "string" ? fault.body : JSON.stringify(fault.body);
    assert.equal(await answer.text(), text, name);
    assert.equal(bed.order, "a");
  }
});
