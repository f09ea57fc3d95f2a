import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { loadSqlite } from "../../src/store/sqlite.ts";

const WORKER = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** Starts a worker on a store folder. */
function start(what: string, folder: string, name: string) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", WORKER, what, folder, name],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function finish(child: Deno.ChildProcess): Promise<string> {
  const { success, stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout);
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.equal(new TextDecoder().decode(stderr), "", "nothing on standard error");
  return text;
}

async function inStore(
  work: (
    folder: string,
    open: (env?: Record<string, string>) => ReturnType<typeof openLocalStore>,
  ) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "processes-"));
  const folder = join(root, "store");
  const open = (env: Record<string, string> = {}) =>
    openLocalStore({
      paths: resolvePaths({ OPENCODE_MULTI_AUTH_STORE_DIR: folder }),
      env,
      clock: systemClock,
    });
  try {
    await work(folder, open);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

Deno.test("processes that begin a store at the same moment lose nothing", () =>
  inStore(async (folder, open) => {
    const names = ["a", "b", "c", "d", "e"];
    await Promise.all(names.map((name) => finish(start("add", folder, name))));
    const store = await open();
    const { accounts } = await store.load();
    assert.deepEqual(accounts.map(({ alias }) => alias).sort(), names);
    assert.deepEqual(store.warnings, []);
    await store.close();
  }));

Deno.test("3 processes, 100 requests each", () =>
  inStore(async (folder, open) => {
    await finish(start("add", folder, "a"));
    await Promise.all(["x", "y", "z"].map((name) => finish(start("uses", folder, name))));
    const store = await open();
    assert.equal((await store.load()).figures.get("id-a")?.uses, 300);
    await store.close();
  }));

Deno.test("kill -9 at any moment of a refresh or a save", () =>
  inStore(async (folder, open) => {
    await finish(start("add", folder, "a"));
    let generation = 1;
    let counted = 0;
    let interrupted = 0;
    for (let round = 0; round < 25; round++) {
      const child = start("renew", folder, "a");
      // Killed after its n-th word and a moment that no word marks.
      const said = await listen(child.stdout, 1 + round % 7, () => {
        const pause = Math.random() * 8;
        setTimeout(() => child.kill("SIGKILL"), pause);
      });
      await child.status;
      await child.stderr.cancel();
      const lastSaved = said.findLast((line) => line.startsWith("saved"));
      const acknowledged = Number(lastSaved?.split(" ")[1] ?? generation);
      counted += said.filter((line) => line === "counted").length;

      const store = await open();
      const { accounts: [account], figures } = await store.load();
      assert.deepEqual(store.warnings, []);
      assert.ok(account);
      assert.ok(account.generation >= acknowledged, "never older than what was acknowledged");
      assert.ok(account.generation <= acknowledged + 1);
      assert.equal(account.credentials.refreshToken, `refresh-a-${account.generation}`, "whole");
      const uses = figures.get("id-a")?.uses ?? 0;
      assert.ok(uses >= counted && uses <= counted + round + 1, `${uses} of ${counted}`);
      // The token of a refresh that was begun and not saved counts as consumed.
      const begun = Number(said.findLast((line) => line.startsWith("begun"))?.split(" ")[1] ?? 0);
      const open_ = await store.openRefresh("id-a");
      if (begun === account.generation) {
        assert.equal(open_, begun);
        interrupted++;
      }
      await store.endRefresh("id-a");
      generation = account.generation;
      await store.close();
      const db = (await loadSqlite())(join(folder, "state.db"));
      assert.deepEqual({ ...db.prepare("PRAGMA integrity_check").get() }, {
        integrity_check: "ok",
      });
      db.close();
    }
    assert.ok(generation > 25, `only ${generation} saves`);
    assert.ok(interrupted > 0, "no kill came between the note and the save");
    const backup = JSON.parse(readFileSync(join(folder, "accounts.json.bak"), "utf8"));
    assert.equal(backup.version, 3);
  }));

/** Collects whole lines until the stream ends; calls back after the n-th. */
async function listen(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  n: number,
  reached: () => void,
): Promise<string[]> {
  const lines: string[] = [];
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      lines.push(line);
      if (lines.length === n) reached();
    }
  }
  return lines;
}
