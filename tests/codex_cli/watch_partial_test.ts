/** A program that writes `auth.json` in pieces while it is watched. */
import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import type { SyncOutcome } from "../../src/codex_cli/device.ts";
import type { WatchFolder } from "../../src/codex_cli/watch_auth.ts";
import { authJson, type DeviceFolder, onDevice, person, tokens } from "./device_folder.ts";

const ANNA = person("anna");
const BERT = person("bert");

/** A watched device: `send` tells of a change, `next` gives what comes of it. */
function watching(at: DeviceFolder) {
  const outcomes: SyncOutcome[] = [];
  let arrived = () => {};
  let send = (): void => {};
  const watchFolder: WatchFolder = (_folder, onEvent) => {
    send = () => onEvent("auth.json");
    return () => {};
  };
  const stop = at.device({ watchFolder }).watch((outcome) => {
    outcomes.push(outcome);
    arrived();
  });
  return {
    stop,
    send: () => send(),
    async next(): Promise<SyncOutcome | undefined> {
      if (outcomes.length === 0) {
        await at.folder.clock.passUntil(new Promise<void>((done) => arrived = done), 20);
      }
      return outcomes.shift();
    },
  };
}

/** Where a text is cut: at both ends, in its keys, and in the middle of a token. */
const cuts = (text: string): number[] => [
  0,
  1,
  text.indexOf("access_token") + 5,
  text.indexOf("rt_") + 6,
  Math.floor(text.length / 2),
  text.length - 1,
];

Deno.test("auth.json written in pieces while we watch: nothing is lost, and what is whole is taken", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA, 1));
    const { send, next, stop } = watching(at);
    assert.equal((await next())?.kind, "added");
    let round = 1;
    for (const [which, _] of cuts(JSON.stringify(authJson(ANNA, 2))).entries()) {
      const before = await at.refreshTokens();
      const text = JSON.stringify(authJson(ANNA, ++round));
      const cut = cuts(text)[which] ?? 0;
      // So long a pause that we give the half up.
      writeFileSync(at.path, text.slice(0, cut));
      send();
      const half = await next();
      assert.equal(half?.kind, "left", `cut at ${cut}`);
      assert.match(half.text, /was left alone: it is not JSON, or was cut short/);
      assert.deepEqual(await at.refreshTokens(), before);
      appendFileSync(at.path, text.slice(cut));
      send();
      assert.equal((await next())?.kind, "updated", `the rest after ${cut}`);
      assert.deepEqual(await at.refreshTokens(), [tokens(ANNA, round).refresh_token]);
      assert.equal(at.read().tokens.refresh_token, tokens(ANNA, round).refresh_token);
    }
    stop();
  }));

Deno.test("auth.json whose rest comes while we look is taken at that look", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA, 1));
    const { send, next, stop } = watching(at);
    assert.equal((await next())?.kind, "added");
    const text = JSON.stringify(authJson(BERT));
    for (const cut of cuts(text)) {
      writeFileSync(at.path, text.slice(0, cut));
      send();
      // The look comes a quarter of a second later, and tries for as long.
      await at.folder.clock.advance(300);
      appendFileSync(at.path, text.slice(cut));
      assert.match((await next())?.kind ?? "", cut === 0 ? /^added$/ : /^unchanged$/);
      assert.deepEqual(await at.aliases(), ["anna", "bert"]);
      // The rest is a change of its own, with nothing new in it.
      send();
      assert.equal((await next())?.kind, "unchanged");
    }
    stop();
  }));
