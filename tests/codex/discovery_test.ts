import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { CLIENT_VERSION, fetchModels, readModels } from "../../src/codex/model_question.ts";
import { readModelLists, saveModelList } from "../../src/store/models.ts";
import { storePlan } from "../simulated_account.ts";
import type { PlanOptions } from "../simulator/simulator.ts";
import { VirtualClock } from "../virtual_clock.ts";
import { ask, onStage } from "./discovery_stage.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;

const TWO: readonly PlanOptions[] = [
  { name: "a", models: ["gpt-5.5"] },
  { name: "b", models: ["gpt-5.5", "gpt-9-new"] },
];

Deno.test("lists are asked for after the first request, one account after the other, and route", async () => {
  await onStage(TWO, async ({ client: open, answered, asked, simulator, clock }) => {
    const client = await open();
    assert.deepEqual(asked(), [], "nothing is asked at the start");
    await ask(client, "s1");
    await ask(client, "s2");
    assert.deepEqual(asked(), [], "nothing is asked beside the first requests");
    await answered(1);
    const first = clock.now();
    await answered(2);
    assert.ok(clock.now() - first >= 5 * SECOND, `${clock.now() - first} ms`);
    assert.deepEqual(asked(), ["a 200", "b 200"]);
    const [question] = simulator.requests.filter((one) => one.path.endsWith("/codex/models"));
    assert.equal(question?.query, `client_version=${CLIENT_VERSION}`);
    assert.equal(question?.headers["originator"], "opencode");
    const served = [];
    for (let n = 0; n < 4; n++) served.push(await ask(client, `new${n}`, "gpt-9-new"));
    assert.deepEqual(served, ["b", "b", "b", "b"]);
    assert.deepEqual(simulator.requests.filter((one) => one.status === 400), []);
  });
});

Deno.test("what one process has learned another one knows at its first request", async () => {
  await onStage(TWO, async ({ client: open, answered, asked }) => {
    await ask(await open(), "s");
    await answered(2);
    const other = await open();
    const served = [];
    for (let n = 0; n < 3; n++) served.push(await ask(other, `new${n}`, "gpt-9-new"));
    assert.deepEqual(served, ["b", "b", "b"]);
    assert.equal(asked().length, 2, "nobody is asked again");
  });
});

Deno.test("two processes ask each account once between them", async () => {
  await onStage(TWO, async ({ client: open, answered, asked, clock }) => {
    const clients = [await open(), await open()];
    for (const client of clients) await ask(client, "s");
    await answered(2);
    for (let n = 0; n < 10; n++) {
      for (const client of clients) await ask(client, `again${n}`);
      await clock.advance(6 * SECOND);
    }
    assert.deepEqual(asked(), ["a 200", "b 200"]);
  });
});

Deno.test("a list is asked for again after hours, with its ETag, and 304 keeps it", async () => {
  await onStage([{ name: "a" }], async (stage) => {
    const { client: open, answered, asked, clock } = stage;
    const client = await open();
    await ask(client, "s");
    await answered(1);
    const store = await stage.store();
    const [before] = (await readModelLists(store)).values();
    await clock.advance(5 * HOUR);
    await ask(client, "s");
    await clock.advance(10 * SECOND);
    assert.equal(asked().length, 1, "a list of five hours is good");
    await clock.advance(2 * HOUR);
    await ask(client, "s");
    await answered(2);
    assert.deepEqual(asked(), ["a 200", "a 304"]);
    const [after] = (await readModelLists(store)).values();
    assert.deepEqual(after?.models, before?.models);
    assert.ok(after && before && after.at > before.at + 6 * HOUR);
    assert.equal(after?.etag, before?.etag);
  });
});

for (const status of [404, 500, 403]) {
  Deno.test(`${status} says nothing about the models: what is known stays, asked again after half an hour`, async () => {
    await onStage([TWO[0]!], async (stage) => {
      const { client: open, answered, asked, clock, simulator } = stage;
      const store = await stage.store();
      const id = (await store.load()).accounts[0]!.id;
      const [model] = readModels('{"models":[{"slug":"gpt-5.5"}]}');
      await saveModelList(store, id, { at: 0, etag: "x", models: [model!] });
      simulator.plan("a").fail({ kind: "status", status, body: "<html>" }, 1, "models");
      const client = await open();
      await ask(client, "s");
      await answered(1);
      assert.equal((await readModelLists(store)).get(id)?.etag, "x");
      // Another process leaves it alone as well.
      await ask(await open(), "t");
      await clock.advance(20 * SECOND);
      await ask(client, "s");
      await clock.advance(20 * SECOND);
      assert.deepEqual(asked(), [`a ${status}`]);
      await clock.advance(31 * 60 * SECOND);
      await ask(client, "s");
      await answered(2);
      assert.deepEqual(asked(), [`a ${status}`, "a 200"]);
      assert.deepEqual((await readModelLists(store)).get(id)?.models.map(({ slug }) => slug), [
        "gpt-5.5",
      ]);
    });
  });
}

Deno.test("a list that is slow or never comes holds neither a request nor the end up", async () => {
  await onStage(TWO, async ({ client: open, simulator, clock }) => {
    simulator.fail({ kind: "stall" }, 2, "models");
    const client = await open();
    await ask(client, "s");
    const question = simulator.waitFor((one) => one.path.endsWith("/codex/models"));
    for (let n = 0; n < 60; n++) await clock.advance(100);
    const { closed } = await question;
    const before = clock.now();
    assert.equal(await ask(client, "t"), "b");
    assert.equal(clock.now(), before);
    await client.close();
    await closed;
  });
});

Deno.test("an account whose token has run out is not renewed for its models", async () => {
  await onStage([], async (stage) => {
    const { simulator, client: open, clock, asked } = stage;
    const store = await stage.store();
    await storePlan(store, simulator.addPlan({ name: "a" }));
    await storePlan(store, simulator.addPlan({ name: "b" }), -HOUR);
    const client = await open();
    await ask(client, "s");
    for (let n = 0; n < 300; n++) {
      await clock.advance(100);
      if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assert.deepEqual(asked(), ["a 200"]);
    assert.deepEqual(simulator.tokenCalls, []);
  });
});

Deno.test("a removed account's list goes with it, and none is saved for it", async () => {
  await onStage(TWO, async (stage) => {
    const store = await stage.store();
    const { accounts } = await store.load();
    const list = { at: 1, etag: "", models: [] };
    for (const { id } of accounts) await saveModelList(store, id, list);
    await store.remove(accounts[0]!.id);
    assert.deepEqual([...(await readModelLists(store)).keys()], [accounts[1]!.id]);
    await saveModelList(store, accounts[0]!.id, list);
    assert.deepEqual([...(await readModelLists(store)).keys()], [accounts[1]!.id]);
  });
});

Deno.test("the client that is named is the Codex CLI the tests know", () => {
  const tools = readFileSync(new URL("../../scripts/tools.ts", import.meta.url), "utf8");
  assert.equal(/const CODEX = "([^"]+)"/.exec(tools)?.[1], CLIENT_VERSION);
});

Deno.test("a list is read as far as it is understood", () => {
  const slugs = (value: unknown) => readModels(JSON.stringify(value)).map(({ slug }) => slug);
  for (const nothing of [null, [], 5, "x", {}, { models: null }, { models: [null, 5, {}] }]) {
    assert.deepEqual(slugs(nothing), [], JSON.stringify(nothing));
  }
  assert.deepEqual(readModels("<html>"), []);
  assert.deepEqual(
    slugs({ models: [{ slug: "a" }, { slug: "a" }, { slug: " " }, { slug: 7 }, { slug: "b" }] }),
    ["a", "b"],
  );
  assert.deepEqual(
    readModels('{"models":[{"slug":"a","visibility":"none","context_window":-1}]}'),
    [{
      slug: "a",
      name: "a",
      hidden: true,
      priority: 1_000,
      context: 0,
      efforts: [],
      inputs: [],
    }],
  );
});

Deno.test("an empty list, a redirect and a body that is none are no lists", async () => {
  const clock = new VirtualClock();
  const account = {
    credentials: { accessToken: "x", refreshToken: "y", expiresAt: 0 },
  } as unknown as Parameters<typeof fetchModels>[0];
  const answer = (response: Response) =>
    fetchModels(account, "", { fetch: () => Promise.resolve(response), backend: "", clock });
  assert.equal((await answer(new Response('{"models":[]}'))).kind, "failed");
  assert.equal((await answer(new Response("<html>"))).kind, "failed");
  assert.equal((await answer(new Response(null, { status: 302 }))).kind, "failed");
  // A 304 that nobody asked for brings nothing.
  assert.equal((await answer(new Response(null, { status: 304 }))).kind, "failed");
  assert.equal((await answer(new Response("", { status: 401 }))).kind, "unauthorized");
  assert.equal(clock.pending, 0);
});
