import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { onDevice } from "./device_folder.ts";

const PROCESSES = 4;
const CHANGES = 6;

/** Counts up in `auth.json` and, to see every reading, in a key of its own. */
const WORKER = (module: string, path: string, name: string) => `
  const { changeAuthFile } = await import(${JSON.stringify(module)} + "auth_change.ts");
  const { lockWithPrograms } = await import(${JSON.stringify(module)} + "auth_lock.ts");
  const { systemFiles } = await import(${JSON.stringify(module)} + "../platform/files.ts");
  const { systemClock } = await import(${JSON.stringify(module)} + "../platform/clock.ts");
  const place = {
    path: ${JSON.stringify(path)}, files: systemFiles, clock: systemClock,
    random: Math.random, lock: lockWithPrograms({ PATH: ${JSON.stringify(Deno.env.get("PATH"))} }),
  };
  for (let n = 0; n < ${CHANGES}; n++) {
    await changeAuthFile(place, (reading) => {
      if (reading.kind !== "read") throw new Error("torn: " + reading.kind);
      const { total = 0, ${name}: own = 0, ...rest } = reading.json;
      return Promise.resolve({ ...rest, total: total + 1, ${name}: own + 1 });
    });
  }`;

Deno.test("several processes write auth.json at once: no change is lost, and it is whole at every moment", () =>
  onDevice(async (at) => {
    at.write({ total: 0, kept: { deep: true } });
    const module = new URL("../../src/codex_cli/", import.meta.url).href;
    const children = Array.from(
      { length: PROCESSES },
      (_, n) =>
        new Deno.Command(Deno.execPath(), {
          args: ["eval", "--no-lock", WORKER(module, at.path, `p${n}`)],
          cwd: new URL("../..", import.meta.url),
          stdout: "null",
          stderr: "piped",
        }).output(),
    );
    let done = false;
    let looks = 0;
    const all = Promise.all(children).finally(() => done = true);
    while (!done) {
      // A reader without any lock, such as a Codex that starts.
      assert.deepEqual(at.read().kept, { deep: true });
      looks++;
      await new Promise((next) => setTimeout(next, 2));
    }
    for (const { code, stderr } of await all) {
      assert.equal(code, 0, new TextDecoder().decode(stderr));
    }
    const { kept: _kept, total, ...own } = at.read();
    assert.equal(total, PROCESSES * CHANGES);
    assert.deepEqual(Object.values(own), Array(PROCESSES).fill(CHANGES));
    assert.ok(looks > 10);
    assert.equal(at.mode(), 0o600);
    assert.deepEqual(readdirSync(at.home).sort(), ["auth.json", "auth.json.lock", "auth.lock"]);
  }));
