import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { liveSettings } from "../../src/platform/live_settings.ts";
import { silentLog } from "../../src/platform/log.ts";
import { type Environment, resolvePaths } from "../../src/platform/paths.ts";
import { STANDARD_SETTINGS, writeSetting } from "../../src/platform/settings.ts";
import { VirtualClock } from "../virtual_clock.ts";

function set(
  use: (given: ReturnType<typeof start>) => Promise<void>,
  env: Environment = {},
): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "live-"));
    try {
      await use(start(folder, env));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

function start(folder: string, env: Environment) {
  const clock = new VirtualClock();
  const paths = resolvePaths({ OPENCODE_MULTI_AUTH_STORE_DIR: folder }, folder);
  const errors: string[] = [];
  const log = { ...silentLog, error: (message: string) => void errors.push(message) };
  const live = liveSettings({ paths, env, clock, log, older: { strategy: "weighted" } });
  return { clock, paths, errors, live };
}

Deno.test(
  "a setting that is changed while OpenCode runs counts within a second of traffic",
  set(async ({ clock, paths, live }) => {
    writeSetting(paths, "strategy", "drain");
    assert.equal(live.current.strategy, "weighted", "nobody looks without traffic");
    live.touch();
    live.touch();
    assert.equal(clock.pending, 1);
    await clock.advance(1_000);
    assert.equal(live.current.strategy, "drain");
    assert.equal(clock.pending, 0, "no timer while idle");
  }),
);

Deno.test(
  "what an older project has set counts until a setting of ours is written",
  set(async ({ clock, paths, live }) => {
    assert.equal(live.current.strategy, "weighted");
    writeSetting(paths, "rotate", "request");
    live.touch();
    await clock.advance(1_000);
    assert.equal(live.current.strategy, STANDARD_SETTINGS.strategy);
  }),
);

Deno.test(
  "what an older project has set is over also when ours is taken back, or cannot be",
  set(async ({ clock, paths, live }) => {
    writeSetting(paths, "strategy", "drain");
    writeSetting(paths, "strategy", undefined);
    live.touch();
    await clock.advance(1_000);
    assert.equal(live.current.strategy, STANDARD_SETTINGS.strategy);
    writeFileSync(paths.settings, '{"strategy":"nonsense"}');
    live.touch();
    await clock.advance(1_000);
    assert.equal(live.current.strategy, STANDARD_SETTINGS.strategy);
  }),
);

Deno.test(
  "a file that cannot be read is logged once, and what was in force stays",
  set(async ({ clock, paths, live, errors }) => {
    writeSetting(paths, "stall", "10s");
    live.touch();
    await clock.advance(1_000);
    writeFileSync(paths.settings, "{broken");
    for (let n = 0; n < 3; n++) {
      live.touch();
      await clock.advance(1_000);
    }
    assert.equal(live.current.stall, 10_000);
    assert.equal(errors.length, 1);
  }),
);

Deno.test(
  "a variable that cannot be costs its own setting only, and is one line in the log",
  set(async ({ clock, paths, live, errors }) => {
    assert.equal(live.current.notifyNtfyUrl, "");
    assert.equal(live.current.notify, false);
    assert.deepEqual(errors, [
      "OPENCODE_MULTI_AUTH_NOTIFY_NTFY_URL must be the address of an ntfy topic " +
      '(https://… or http://…), or off. The standard value is "".',
    ]);
    writeSetting(paths, "notifyNtfyUrl", "https://ntfy.example/topic");
    live.touch();
    await clock.advance(1_000);
    assert.equal(live.current.notifyNtfyUrl, "https://ntfy.example/topic");
  }, {
    OPENCODE_MULTI_AUTH_NOTIFY_NTFY_URL: "ntfy.example/secret",
    OPENCODE_MULTI_AUTH_NOTIFY: "0",
  }),
);

Deno.test(
  "so does a value in the file",
  set(async ({ clock, paths, live, errors }) => {
    writeFileSync(paths.settings, '{"stall":"soon","rotate":"request"}');
    live.touch();
    await clock.advance(1_000);
    assert.equal(live.current.stall, STANDARD_SETTINGS.stall);
    assert.equal(live.current.rotate, "request");
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? "", /"stall" in /);
  }),
);
