import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SyncOutcome } from "../../src/codex_cli/device.ts";
import { watchAuth, type WatchFolder, watchFolder } from "../../src/codex_cli/watch_auth.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemFiles } from "../../src/platform/files.ts";
import { authJson, type DeviceFolder, onDevice, person, tokens } from "./device_folder.ts";

const ANNA = person("anna");
const BERT = person("bert");
const POLL_MS = 5_000;

/** Watched folders, and a hand that sends events. */
function events() {
  const watched = new Map<string, (name: string | null) => void>();
  const watchFolder: WatchFolder = (folder, onEvent) => {
    Deno.statSync(folder);
    watched.set(folder, onEvent);
    return () => watched.delete(folder);
  };
  return { watched, watchFolder, send: (name: string | null) => watched.forEach((on) => on(name)) };
}

/** A device that is watched, and what came of it. */
function watching(at: DeviceFolder, watchFolder: WatchFolder) {
  const outcomes: SyncOutcome[] = [];
  const stop = at.device({ watchFolder }).watch((outcome) => outcomes.push(outcome));
  const wait = () => new Promise((done) => setTimeout(done, 5));
  /** Lets time pass, and waits for the disk until as many outcomes are there. */
  const until = async (count: number, ms: number) => {
    await at.folder.clock.advance(ms);
    for (let n = 0; n < 4_000 && outcomes.length < count; n++) await wait();
    await wait();
    return outcomes.map(({ kind }) => kind);
  };
  /** Lets time pass in which nothing is to happen. */
  const nothing = async (ms: number) => {
    const before = outcomes.length;
    await at.folder.clock.advance(ms);
    for (let n = 0; n < 20; n++) await wait();
    assert.equal(outcomes.length, before);
  };
  return { outcomes, stop, until, nothing };
}

Deno.test("auth.json replaced, deleted, restored while we watch: the slow poll sees each", () =>
  onDevice(async (at) => {
    const { stop, until, nothing } = watching(at, () => {
      throw new Error("no events on this file system");
    });
    at.write(authJson(ANNA));
    assert.deepEqual(await until(1, POLL_MS), ["added"]);
    at.write(authJson(ANNA, 2));
    assert.deepEqual(await until(2, POLL_MS), ["added", "updated"]);
    rmSync(at.path);
    assert.deepEqual(await until(3, POLL_MS), ["added", "updated", "unchanged"]);
    at.write(authJson(BERT));
    assert.deepEqual((await until(4, POLL_MS)).at(-1), "added");
    assert.deepEqual(await at.aliases(), ["anna", "bert"]);
    stop();
    at.write(authJson(person("cleo")));
    await nothing(POLL_MS * 3);
  }));

Deno.test("several events in quick succession are one look; those of other files are none", () =>
  onDevice(async (at) => {
    const { watchFolder, send } = events();
    const { until, nothing, stop } = watching(at, watchFolder);
    at.write(authJson(ANNA));
    for (const name of ["auth.json", ".auth-x1", "auth.json", null]) send(name);
    assert.deepEqual(await until(1, 260), ["added"]);
    at.write(authJson(ANNA, 2));
    send("history.jsonl");
    await nothing(1_000);
    send("auth.json");
    assert.deepEqual(await until(2, 260), ["added", "updated"]);
    // An event that changes nothing, such as a look of somebody else, is no news.
    send("auth.json");
    await nothing(260);
    stop();
  }));

Deno.test("auth.json symlinked while we watch: the real file's folder is watched too", () =>
  onDevice(async (at) => {
    const { watched, watchFolder, send } = events();
    const { until, stop } = watching(at, watchFolder);
    const elsewhere = join(at.folder.root, "dotfiles");
    mkdirSync(elsewhere);
    const real = join(elsewhere, "codex.json");
    writeFileSync(real, JSON.stringify(authJson(ANNA)));
    symlinkSync(real, at.path);
    assert.deepEqual(await until(1, POLL_MS), ["added"]);
    await until(1, POLL_MS);
    assert.deepEqual([...watched.keys()].sort(), [at.home, elsewhere].sort());
    writeFileSync(`${real}.new`, JSON.stringify(authJson(ANNA, 2)));
    renameSync(`${real}.new`, real);
    send("codex.json");
    assert.deepEqual(await until(2, 260), ["added", "updated"]);
    stop();
    assert.equal(watched.size, 0);
    assert.equal(at.folder.clock.pending, 0);
  }));

Deno.test("a folder that appears later is watched from the next poll on", () =>
  onDevice(async (at) => {
    rmSync(at.home, { recursive: true });
    const { watched, watchFolder } = events();
    const { until, stop } = watching(at, watchFolder);
    assert.equal(watched.size, 0);
    at.write(authJson(ANNA));
    assert.deepEqual(await until(1, POLL_MS), ["added"]);
    assert.deepEqual([...watched.keys()], [at.home]);
    stop();
  }));

Deno.test("what goes wrong while watching is said, and the next change is seen", () =>
  onDevice(async (at) => {
    const { until, outcomes, stop } = watching(at, () => () => {});
    writeFileSync(join(at.home, "config.toml"), "not toml");
    at.write(authJson(ANNA));
    assert.deepEqual(await until(1, POLL_MS), ["left"]);
    assert.match(outcomes[0]?.text ?? "", /config\.toml is not TOML/);
    rmSync(join(at.home, "config.toml"));
    at.write(authJson(ANNA, 2));
    assert.deepEqual(await until(2, POLL_MS), ["left", "added"]);
    stop();
  }));

Deno.test("while a save goes on, the look waits until it is quiet", () =>
  onDevice(async (at) => {
    const { clock } = at.folder;
    const { watchFolder, send } = events();
    let looks = 0;
    const stop = watchAuth({
      path: at.path,
      files: systemFiles,
      clock,
      watchFolder,
      onChange: () => Promise.resolve(void looks++),
    });
    at.write("1");
    send("auth.json");
    await clock.advance(200);
    send("auth.json");
    await clock.advance(200);
    assert.equal(looks, 0);
    await clock.advance(60);
    assert.equal(looks, 1);
    stop();
  }));

Deno.test("a change during a look is looked at after it", () =>
  onDevice(async (at) => {
    const { clock } = at.folder;
    const texts: string[] = [];
    let goOn = () => {};
    const stop = watchAuth({
      path: at.path,
      files: systemFiles,
      clock,
      watchFolder: () => () => {},
      onChange: async () => {
        texts.push(Deno.readTextFileSync(at.path));
        if (texts.length === 1) await new Promise<void>((done) => goOn = done);
      },
    });
    at.write("1");
    await clock.advance(POLL_MS);
    at.write("22");
    await clock.advance(POLL_MS);
    assert.deepEqual(texts, ["1"]);
    goOn();
    await clock.advance(0);
    assert.deepEqual(texts, ["1", "22"]);
    stop();
  }));

Deno.test("the machine's own events arrive in less than a second", () =>
  onDevice(async (at) => {
    const seen = Promise.withResolvers<void>();
    const stop = watchAuth({
      path: at.path,
      files: systemFiles,
      clock: systemClock,
      watchFolder,
      onChange: () => Promise.resolve(seen.resolve()),
    });
    const start = performance.now();
    at.write(authJson(ANNA));
    await seen.promise;
    stop();
    // The poll alone would take five seconds.
    assert.ok(performance.now() - start < 4_000);
    assert.equal(at.read().tokens.refresh_token, tokens(ANNA).refresh_token);
    await at.folder.clock.passUntil(at.device().sync());
  }));
