/**
 * One process of several on the machine's queue, with a question that takes as long as the test wants.
 * Says each thing in a line of its own.
 *
 * Arguments: what to do (`run`, `stop`), the store folder, account ids.
 *
 * @module
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { startChild } from "../../src/codex_cli/child.ts";
import { createLimitQueue } from "../../src/limits/queue.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";

const [what = "", folder = "", ...ids] = process.argv.slice(2);
const say = (text: string) => void writeSync(1, `${text}\n`);
say(`pid ${process.pid}`);
const env = { ...process.env, OPENCODE_MULTI_AUTH_STORE_DIR: folder };
const store = await openLocalStore({ paths: resolvePaths(env), env });
const queue = createLimitQueue({
  store,
  async ask(accountId, _source, signal) {
    say(`asks ${accountId}`);
    // As a question through `codex exec` does; the mark makes it easy to find.
    const { end } = await startChild("/bin/sleep", [process.env["MARK"] ?? "600"], {
      env: {},
      folder: "/",
      input: "closed",
      limitMs: 60_000,
      maxBytes: 1_000,
      clock: systemClock,
      signal,
    }).outcome;
    say(`${accountId} ${end.kind}`);
    return { kind: "failed", error: "No figures.", careful: false };
  },
  clock: systemClock,
  random: () => 0,
  settings: () => ({ limitsAtOnce: 1, limitsGap: 0 }),
  log: silentLog,
});
if (what === "stop") await queue.stop();
else await queue.add(ids, "exec");
await queue.settled();
say(JSON.stringify((await queue.state()).tasks.map(({ state }) => state)));
await queue.close();
await store.close();
