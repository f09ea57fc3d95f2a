import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { settingNames } from "../../src/platform/settings.ts";
import { withSession } from "./session.ts";

Deno.test("config list shows every setting in 80 columns, as does config alone", () =>
  withSession(async (session) => {
    const { code, out } = await session.run("config", "list");
    assert.equal(code, 0);
    for (const name of settingNames()) assert.match(out, new RegExp(`^ {2}${name} `, "m"));
    assert.deepEqual(out.split("\n").filter((line) => line.length > 80), []);
    assert.equal((await session.run("config")).out, out);
    const object = await session.json("config", "list", "--json");
    assert.deepEqual(await session.json("config", "--json"), object);
    assert.deepEqual(session.files(), {});
  }));

Deno.test("config set is seen by get, list, status, and undone by unset", () =>
  withSession(async (session) => {
    assert.equal(
      (await session.run("config", "set", "strategy", "drain")).out,
      "strategy = drain\n",
    );
    assert.equal((await session.run("config", "get", "strategy")).out, "drain\n");
    assert.match((await session.run("config", "list")).out, /^ {2}strategy +drain \(set\)$/m);
    assert.match((await session.run("status")).out, /^Strategy: drain$/m);
    assert.equal(
      (await session.run("config", "unset", "strategy")).out,
      "strategy = round-robin\n",
    );
    assert.equal((await session.run("config", "get", "strategy")).out, "round-robin\n");
  }));

Deno.test("config takes spans as people write them and gives them back so, in JSON as milliseconds", () =>
  withSession(async (session) => {
    await session.run("config", "set", "maxWait", "5m");
    assert.equal((await session.run("config", "get", "maxWait")).out, "5m\n");
    assert.equal((await session.json("config", "get", "maxWait", "--json"))["value"], 300_000);
    for (const [typed, shown] of [["90s", "90s"], ["60000", "1m"], ["1500", "1500ms"]] as const) {
      assert.equal(
        (await session.run("config", "set", "maxWait", typed)).out,
        `maxWait = ${shown}\n`,
      );
    }
    assert.equal((await session.run("config", "set", "limitsGap", "0")).out, "limitsGap = 0\n");
  }));

Deno.test("config set takes every value that config get prints", () =>
  withSession(async (session) => {
    const { settings } = await session.json("config", "--json") as { settings: { name: string }[] };
    for (const { name } of settings) {
      const shown = (await session.run("config", "get", name)).out;
      const again = await session.run("config", "set", name, shown.trimEnd());
      assert.equal(again.code, 0, again.err);
      assert.equal((await session.run("config", "get", name)).out, shown);
    }
    for (const name of ["notifyAbout", "notifyThresholds"]) {
      const none = (await session.run("config", "set", name, "off")).out;
      assert.equal(none, `${name} = ${name === "notifyAbout" ? "none" : "off"}\n`);
    }
  }));

Deno.test("a refused setting names its standard value as a person types it", () =>
  withSession(async (session) => {
    const standard = async (name: string, value: string) =>
      /The standard value is (.*)\.$/m.exec((await session.run("config", "set", name, value)).err)
        ?.[1];
    assert.equal(await standard("stall", "soon"), "30s");
    assert.equal(await standard("notify", "maybe"), "on");
    assert.equal(await standard("notifyThresholds", "many"), "80,95");
    assert.equal(await standard("notifyNtfyUrl", "here"), '""');
  }));

Deno.test("config set says when an environment variable wins over the file", () =>
  withSession(async (session) => {
    const env = { HOME: session.home, OPENCODE_MULTI_AUTH_ROTATION_STRATEGY: "random" };
    const ran = await session.runWith({ env }, "config", "set", "strategy", "drain");
    assert.equal(ran.code, 0);
    assert.match(ran.err, /^Note: OPENCODE_MULTI_AUTH_ROTATION_STRATEGY is set and wins/);
    assert.equal(ran.out, "strategy = random\n");
  }));

const REFUSED: readonly (readonly string[])[] = [
  ["config", "set", "strategy", "best"],
  ["config", "set", "stall", "soon"],
  ["config", "set", "weights", "{"],
  ["config", "unset", "colour"],
];

for (const argv of REFUSED) {
  Deno.test(`${argv.join(" ")} is refused in one line and writes nothing`, () =>
    withSession(async (session) => {
      const ran = await session.run(...argv);
      assert.notEqual(ran.code, 0);
      assert.match(ran.err, /^Error: [^\n]+\n$/);
      assert.deepEqual(session.files(), {});
    }));
}

Deno.test("a settings file that is not JSON gives one line with its path and stays as it is", () =>
  withSession(async (session) => {
    mkdirSync(session.folder, { recursive: true });
    writeFileSync(join(session.folder, "settings.json"), "{ strategy: drain");
    const before = session.files();
    for (const argv of [["config"], ["config", "set", "strategy", "drain"], ["status"]]) {
      const ran = await session.run(...argv);
      assert.equal(ran.code, 1);
      assert.match(ran.err, /^Error: [^\n]*settings\.json[^\n]*\n$/);
      assert.deepEqual(session.files(), before);
    }
  }));

Deno.test("settings of an older store count until the first of ours, and are carried over with it", () =>
  withSession(async (session) => {
    session.useFixture("v2.json");
    const before = session.files();
    assert.equal((await session.run("config", "get", "strategy")).out, "weighted\n");
    assert.match((await session.run("status")).out, /^Strategy: weighted$/m);
    assert.deepEqual(session.files(), before);
    await session.run("disable", "mate");
    const settings = JSON.parse(readFileSync(join(session.folder, "settings.json"), "utf8"));
    assert.equal(settings.strategy, "weighted");
    assert.equal(settings.weights.personal, 0.5);
    await session.run("config", "unset", "strategy");
    await session.run("enable", "mate");
    assert.match((await session.run("status")).out, /^Strategy: round-robin$/m);
  }));

Deno.test("config set on an older store keeps that store's other settings", () =>
  withSession(async (session) => {
    session.useFixture("v2.json");
    await session.run("config", "set", "strategy", "drain");
    assert.equal((await session.run("config", "get", "strategy")).out, "drain\n");
    assert.match((await session.run("config", "get", "weights")).out, /"personal":0\.5/);
  }));

Deno.test("config works beside a store that cannot be read", () =>
  withSession(async (session) => {
    for (const name of ["not-json.json", "v1-encrypted.json"]) {
      session.useFixture(name);
      assert.equal((await session.run("config", "get", "rotate")).out, "session\n");
    }
  }));
