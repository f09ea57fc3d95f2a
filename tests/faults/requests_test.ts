import assert from "node:assert/strict";
import { RESPONSES, turn } from "../codex/failover.ts";
import { Bed, errorIn, said } from "./bed.ts";

Deno.test("`Request` object as the only argument; body a stream, a Uint8Array, FormData; relative URL; `/v1/responses`; `/chat/completions`", async () => {
  const body = turn("s").body as string;
  const headers = { "content-type": "application/json", "session-id": "s" };
  const post = { method: "POST", headers };
  const bytes = new TextEncoder().encode(body);
  const stream = { ...post, body: new Blob([body]).stream(), duplex: "half" } as RequestInit;
  const forms: [string | URL | Request, RequestInit | undefined][] = [
    [new Request(RESPONSES, { ...post, body }), undefined],
    [RESPONSES, stream],
    [new URL(RESPONSES), { ...post, body: bytes }],
    ["/v1/responses", { ...post, body }],
    ["responses", { ...post, body }],
  ];
  await using bed = await Bed.open({ plans: [{ name: "a" }] });
  for (const [input, init] of forms) {
    assert.match(await said(await bed.client.fetch(input, init)), /served by a/);
    assert.equal(bed.turns.at(-1)?.body, body);
    assert.equal(bed.turns.at(-1)?.session, "s");
  }
  const asked = bed.turns.length;
  const form = await bed.client.fetch(RESPONSES, { method: "POST", body: new FormData() });
  assert.equal(form.status, 400);
  assert.match((await errorIn(form)).message, /form data/);
  const chat = await bed.client.fetch("https://api.openai.com/v1/chat/completions", turn("s"));
  assert.equal(chat.status, 400);
  assert.match((await errorIn(chat)).message, /\/v1\/chat\/completions/);
  assert.equal(bed.turns.length, asked);
});

Deno.test("non-streaming request answered with SSE", async () => {
  await using bed = await Bed.open({ plans: [{ name: "a" }] });
  const body = JSON.stringify({ model: "gpt-5.5", input: [] });
  const answer = await bed.ask("s", { ...turn("s"), body });
  assert.match(answer.headers.get("content-type") ?? "", /json/);
  const response = await answer.json();
  assert.match(JSON.stringify(response.output), /served by a/);
  const sent = JSON.parse(bed.turns[0]?.body ?? "");
  assert.deepEqual([sent.stream, sent.store], [true, false]);
  bed.simulator.plan("a").fail({ kind: "sse", file: "ok-crlf-no-space-no-event.sse" });
  const odd = await bed.ask("s", { ...turn("s"), body });
  assert.equal((await odd.json()).status, "completed", "CRLF and `data:` without a space");
});
