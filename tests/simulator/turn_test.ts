import {
  deepStrictEqual as deepEqual,
  match,
  notStrictEqual as notEqual,
  strictEqual as equal,
} from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as zlib from "node:zlib";
import { VirtualClock } from "../virtual_clock.ts";
import { type SimulatedPlan, type Simulator, startSimulator } from "./simulator.ts";
import { at, bearer, eventsIn, postTurn, textIn, TURN } from "./test_client.ts";

async function withPlans(
  run: (simulator: Simulator, personal: SimulatedPlan, token: string) => Promise<void>,
): Promise<void> {
  const simulator = await startSimulator({ clock: new VirtualClock() });
  try {
    const personal = simulator.addPlan({ name: "personal" });
    await run(simulator, personal, personal.issueTokens().accessToken);
  } finally {
    await simulator.close();
  }
}

const typesIn = (text: string) => eventsIn(text).map((event) => event.type);

Deno.test("an answer has the events of the fixture's good stream, in its order", () =>
  withPlans(async (simulator, personal, token) => {
    simulator.reply = "Hello from the fixture.";
    const body = { ...TURN, include: [] };
    const response = await postTurn(simulator, personal, token, { body });
    equal(response.status, 200);
    match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
    const text = await response.text();
    const fixture = readFileSync(new URL("../fixtures/sse/ok.sse", import.meta.url), "utf8");
    const shape = (types: string[]) => types.filter((type, index) => type !== types[index - 1]);
    // The fixture leaves out content_part.done, which the public API sends.
    const ours = shape(typesIn(text)).filter((type) => type !== "response.content_part.done");
    deepEqual(ours, shape(typesIn(fixture)));
    const [last, theirs] = [eventsIn(text).at(-1), eventsIn(fixture).at(-1)];
    deepEqual(
      Object.keys(at(last, "response") as object).sort(),
      Object.keys(at(theirs, "response") as object).sort(),
    );
    equal(at(last, "response", "output", 0, "content", 0, "text"), "Hello from the fixture.");
    equal(textIn(text), "Hello from the fixture.");
    deepEqual(eventsIn(text).map((event) => event.sequence_number), [
      ...Array(eventsIn(text).length).keys(),
    ]);
    // Each event's name is its type.
    for (const block of text.trimEnd().split("\n\n")) {
      const [name, data] = block.split("\n");
      equal(name, `event: ${JSON.parse((data ?? "").slice(6)).type}`);
    }
  }));

Deno.test("by default an answer says who served it, and how many before", () =>
  withPlans(async (simulator, personal, token) => {
    const work = simulator.addPlan({ name: "work" });
    const said = [];
    said.push(textIn(await (await postTurn(simulator, personal, token)).text()));
    said.push(textIn(await (await postTurn(simulator, personal, token)).text()));
    const theirs = work.issueTokens().accessToken;
    said.push(textIn(await (await postTurn(simulator, work, theirs)).text()));
    deepEqual(said, [
      "Answer 1 served by personal",
      "Answer 2 served by personal",
      "Answer 1 served by work",
    ]);
    deepEqual([personal.served, work.served], [2, 1]);
  }));

Deno.test("a reply can be decided for each request, and can call a tool", () =>
  withPlans(async (simulator, personal, token) => {
    simulator.reply = (record) =>
      record.body.includes("function_call_output")
        ? undefined
        : { name: "read", arguments: { filePath: "hello.txt" } };
    const first = eventsIn(await (await postTurn(simulator, personal, token)).text());
    deepEqual(first.map((event) => event.type).slice(4), [
      "response.output_item.added",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.output_item.done",
      "response.completed",
    ]);
    const reasoning = at(first[3], "item");
    const call = at(first.at(-2), "item");
    equal(at(call, "arguments"), '{"filePath":"hello.txt"}');
    const body = {
      ...TURN,
      input: [...TURN.input, reasoning, call, {
        type: "function_call_output",
        call_id: at(call, "call_id"),
        output: "hello",
      }],
    };
    const second = await postTurn(simulator, personal, token, { body });
    equal(textIn(await second.text()), "Answer 2 served by personal");
  }));

Deno.test("reasoning belongs to the workspace that minted it", () =>
  withPlans(async (simulator, personal, token) => {
    const mate = simulator.addPlan({ name: "mate", workspaceId: personal.workspaceId });
    const work = simulator.addPlan({ name: "work" });
    const events = eventsIn(await (await postTurn(simulator, personal, token)).text());
    const reasoning = at(events[3], "item");
    equal(at(events[2], "item", "encrypted_content"), null);
    match(String(at(reasoning, "encrypted_content")), /^gAAAA/);
    const status = async (plan: SimulatedPlan, item: unknown) => {
      const body = { ...TURN, input: [item, ...TURN.input] };
      const response = await postTurn(simulator, plan, plan.issueTokens().accessToken, { body });
      const text = await response.text();
      return response.ok ? "ok" : [response.status, at(JSON.parse(text), "error", "code")];
    };
    equal(await status(personal, reasoning), "ok");
    equal(await status(mate, reasoning), "ok");
    deepEqual(await status(work, reasoning), [400, "invalid_encrypted_content"]);
    const unknown = { type: "reasoning", encrypted_content: "gAAAAfrom-nowhere", summary: [] };
    deepEqual(await status(personal, unknown), [400, null]);
    equal(await status(work, { type: "reasoning", encrypted_content: null, summary: [] }), "ok");
  }));

Deno.test("reasoning comes only when asked for", () =>
  withPlans(async (simulator, personal, token) => {
    const reasons = async (body: unknown) => {
      const text = await (await postTurn(simulator, personal, token, { body })).text();
      return text.includes("encrypted_content");
    };
    equal(await reasons(TURN), true);
    equal(await reasons({ ...TURN, include: [] }), false);
    equal(await reasons({ ...TURN, reasoning: { effort: "none" } }), false);
  }));

Deno.test("usage adds up, and a stable conversation on one account is mostly cached", () =>
  withPlans(async (simulator, personal, token) => {
    const usage = async (plan: SimulatedPlan, accessToken: string, key: string) => {
      const body = { ...TURN, prompt_cache_key: key };
      const text = await (await postTurn(simulator, plan, accessToken, { body })).text();
      const found = at(eventsIn(text).at(-1), "response", "usage");
      const number = (...path: string[]) => Number(at(found, ...path));
      equal(number("total_tokens"), number("input_tokens") + number("output_tokens"));
      return number("input_tokens_details", "cached_tokens") / number("input_tokens");
    };
    const work = simulator.addPlan({ name: "work" });
    equal(await usage(personal, token, "one"), 0);
    const share = await usage(personal, token, "one");
    equal(share >= 0.9 && share <= 0.96, true, `cached ${share}`);
    equal(await usage(personal, token, "two"), 0);
    equal(await usage(work, work.issueTokens().accessToken, "one"), 0);
  }));

Deno.test("what the backend does not take gets 400 in its words", () =>
  withPlans(async (simulator, personal, token) => {
    const rows: [body: unknown, detail: string][] = [
      [{ ...TURN, store: true }, "Store must be set to false"],
      [{ ...TURN, store: undefined }, "Store must be set to false"],
      [{ ...TURN, stream: false }, "Stream must be set to true"],
      [{ ...TURN, input: "say hi" }, "Input must be a list"],
      [{ ...TURN, model: undefined }, "Model is required"],
      [{ ...TURN, max_output_tokens: 5 }, "Unsupported parameter: max_output_tokens"],
      [{ ...TURN, max_completion_tokens: 5 }, "Unsupported parameter: max_completion_tokens"],
      [{ ...TURN, stream_options: {} }, "Unsupported parameter: stream_options"],
      [{ ...TURN, truncation: "auto" }, "Unsupported parameter: truncation"],
      [[], "Invalid JSON body"],
    ];
    for (const [body, detail] of rows) {
      const response = await postTurn(simulator, personal, token, { body });
      deepEqual([response.status, await response.json()], [400, { detail }]);
    }
    const headers = { "content-type": "text/plain" };
    const type = await postTurn(simulator, personal, token, { headers });
    deepEqual(await type.json(), { detail: "Unsupported content type" });
    const previous = { ...TURN, previous_response_id: "resp_1" };
    const found = await postTurn(simulator, personal, token, { body: previous });
    equal(at(await found.json(), "error", "code"), "previous_response_not_found");
    const reference = { ...TURN, input: [{ type: "item_reference", id: "msg_1" }] };
    const item = await postTurn(simulator, personal, token, { body: reference });
    equal(item.status, 404);
    await item.body?.cancel();
    equal(personal.served, 0);
  }));

Deno.test("a plan with a list of models refuses the others", () =>
  withPlans(async (simulator) => {
    const free = simulator.addPlan({ name: "free", models: ["gpt-5.5"] });
    const token = free.issueTokens().accessToken;
    const good = await postTurn(simulator, free, token);
    equal(good.status, 200);
    await good.body?.cancel();
    const body = { ...TURN, model: "gpt-5.3-codex-spark" };
    const other = await postTurn(simulator, free, token, { body });
    deepEqual([other.status, await other.json()], [400, {
      detail:
        "The 'gpt-5.3-codex-spark' model is not supported when using Codex with a ChatGPT account.",
    }]);
  }));

Deno.test("compressed bodies are read as the Codex CLI sends them", () =>
  withPlans(async (simulator, personal, token) => {
    const bytes = new TextEncoder().encode(JSON.stringify(TURN));
    const packed = { zstd: zlib.zstdCompressSync(bytes), gzip: zlib.gzipSync(bytes) };
    for (const [encoding, body] of Object.entries(packed)) {
      const response = await fetch(`${simulator.backendUrl}/codex/responses`, {
        method: "POST",
        headers: {
          ...bearer(personal, token),
          "content-type": "application/json",
          "content-encoding": encoding,
        },
        body: new Uint8Array(body),
      });
      equal(response.status, 200, encoding);
      await response.text();
      equal(simulator.requests.at(-1)?.body, JSON.stringify(TURN));
    }
    const odd = { "content-encoding": "rot13" };
    const refused = await postTurn(simulator, personal, token, { headers: odd });
    equal(refused.status, 400);
    await refused.body?.cancel();
  }));

Deno.test("every answer has its own turn state", () =>
  withPlans(async (simulator, personal, token) => {
    const state = async () => {
      const response = await postTurn(simulator, personal, token);
      await response.body?.cancel();
      return response.headers.get("x-codex-turn-state");
    };
    const first = await state();
    notEqual(first, null);
    notEqual(first, await state());
  }));
