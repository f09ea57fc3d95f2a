import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { collect } from "../../src/codex/collect.ts";
import { collectLate } from "../../src/codex/late_collect.ts";
import { silentLog } from "../../src/platform/log.ts";
import { chunked, cutAt, handFed } from "./hand_fed.ts";

const read = (file: string) =>
  new Uint8Array(readFileSync(new URL(`../fixtures/sse/${file}`, import.meta.url)));
const answer = (text: string) => chunked([new TextEncoder().encode(text)]);
const event = (data: Record<string, unknown>) => `data: ${JSON.stringify(data)}\n\n`;

interface Collected {
  status?: string;
  output?: { id: string; type: string }[];
  usage?: { total_tokens: number };
  error?: { code: string };
}

async function collected(response: Response): Promise<[number, Collected]> {
  const result = await collect(response);
  assert.equal(result.headers.get("content-type"), "application/json");
  return [result.status, await result.json() as Collected];
}

for (
  const file of [
    "ok.sse",
    "ok-crlf-no-space-no-event.sse",
    "ok-comments-and-done.sse",
    "ok-empty-output.sse",
    "ok-response-done.sse",
    "rate-limits-event.sse",
  ]
) {
  Deno.test(`collect: ${file} gives the response object, whatever the chunks`, async () => {
    const source = read(file);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 6 }), async (places) => {
        const [status, body] = await collected(chunked(cutAt(source, places)));
        assert.equal(status, 200);
        assert.equal(body.status, "completed");
        assert.equal(body.usage?.total_tokens, 15);
        assert.deepEqual(body.output, [{
          id: "msg_fixture_1",
          type: "message",
          status: "completed",
          role: "assistant",
          content: [{ type: "output_text", text: "Hello from the fixture.", annotations: [] }],
        }]);
      }),
      { numRuns: 15 },
    );
  });
}

Deno.test("collect: items fill an empty output in the order of their index", async () => {
  const [status, body] = await collected(chunked([read("tool-call.sse")]));
  assert.equal(status, 200);
  assert.deepEqual(body.output?.map((item) => item.id), ["rs_fixture_1", "fc_fixture_1"]);
  const item = (index: number | undefined, id: string) =>
    event({ type: "response.output_item.done", output_index: index, item: { id, type: "x" } });
  const [, mixed] = await collected(
    answer(item(2, "c") + item(0, "a") + item(1, "b") + event({ type: "response.completed" })),
  );
  assert.deepEqual(mixed.output?.map((one) => one.id), ["a", "b", "c"]);
  const [, without] = await collected(
    answer(item(undefined, "a") + item(undefined, "b") + event({ type: "response.completed" })),
  );
  assert.deepEqual(without.output?.map((one) => one.id), ["a", "b"]);
});

Deno.test("collect: an output that is there stays", async () => {
  const [, body] = await collected(answer(
    event({ type: "response.output_item.done", output_index: 0, item: { id: "other" } }) +
      event({ type: "response.completed", response: { output: [{ id: "own" }] } }),
  ));
  assert.deepEqual(body.output, [{ id: "own" }]);
});

Deno.test("collect: an incomplete answer is an answer", async () => {
  const [status, body] = await collected(chunked([read("incomplete.sse")]));
  assert.equal(status, 200);
  assert.equal(body.status, "incomplete");
  assert.equal(body.output?.length, 1);
});

const ERRORS: readonly (readonly [string, number, string])[] = [
  ["error-flat.sse", 429, "rate_limit_exceeded"],
  ["error-nested-usage-limit.sse", 429, "usage_limit_reached"],
  ["failed-after-output.sse", 503, "server_error"],
  ["failed-context-too-long.sse", 400, "context_length_exceeded"],
  ["failed-overloaded.sse", 503, "server_is_overloaded"],
  ["failed-usage-limit-first.sse", 429, "usage_limit_reached"],
  ["ends-without-terminal-event.sse", 503, "connection_lost"],
  ["stops-after-created.sse", 503, "connection_lost"],
];

for (const [file, status, code] of ERRORS) {
  Deno.test(`collect: ${file} gives the status that says the same outside a stream`, async () => {
    const [got, body] = await collected(chunked([read(file)]));
    assert.equal(got, status);
    assert.equal(body.error?.code, code);
    assert.equal(body.output, undefined);
  });
}

Deno.test("collect: other refusals have their status too", async () => {
  const rows: readonly (readonly [unknown, number])[] = [
    [{ code: "usage_not_included" }, 429],
    [{ code: "token_expired" }, 401],
    [{ code: "deactivated_workspace" }, 402],
    [{ code: "invalid_encrypted_content" }, 400],
    [{ message: "something" }, 502],
    [null, 502],
  ];
  for (const [error, status] of rows) {
    const failed = event({ type: "response.failed", response: { status: "failed", error } });
    assert.equal((await collected(answer(failed)))[0], status, JSON.stringify(error));
  }
});

Deno.test("collect: a last event without its blank line counts", async () => {
  const [status, body] = await collected(
    answer('data: {"type":"response.completed","response":{"status":"completed"}}'),
  );
  assert.equal(status, 200);
  assert.equal(body.status, "completed");
});

Deno.test("collect: headers stay, those of the stream's form go", async () => {
  const feed = handFed({ "x-request-id": "7", "content-encoding": "identity" });
  feed.send(event({ type: "response.completed", response: {} }));
  feed.end();
  const result = await collect(feed.response);
  assert.equal(result.headers.get("x-request-id"), "7");
  assert.equal(result.headers.get("content-encoding"), null);
});

Deno.test("collect: where its file has gone, an answer names the fix, and the backend's is let go of", async () => {
  let letGo = false;
  const body = new ReadableStream({ cancel: () => void (letGo = true) });
  const result = await collectLate(
    new Response(body),
    silentLog,
    () => Promise.reject(new TypeError("Cannot find module later.js")),
  );
  assert.equal(result.status, 403);
  assert.deepEqual(await result.json(), {
    error: {
      message: "A part of the plugin is missing, since it was updated. Restart OpenCode.",
      type: "opencode_multi_auth",
      code: "part_missing",
    },
  });
  assert.equal(letGo, true);
});

Deno.test("collect: a broken body rejects with its own reason", async () => {
  const feed = handFed();
  const reason = new Error("Esc");
  const pending = collect(feed.response);
  feed.cut(reason);
  await assert.rejects(pending, reason);
});
