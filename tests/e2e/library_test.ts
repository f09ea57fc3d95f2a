/**
 * The library as the README and `mod.ts` show it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inRepository } from "../../scripts/repository.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../simulated_account.ts";
import { startSimulator } from "../simulator/simulator.ts";
import { start } from "./child.ts";
import { makeSandbox } from "./sandbox.ts";

/** The first TypeScript that a text shows. */
function shown(text: string): string {
  const sample = /^```ts\n(.*?)^```$/ms.exec(text)?.[1];
  assert.ok(sample !== undefined, "no sample is shown");
  return sample;
}

Deno.test("the library's sample in the README is that of mod.ts, and is answered", async () => {
  const sample = shown(Deno.readTextFileSync(inRepository("README.md")));
  const mod = Deno.readTextFileSync(inRepository("mod.ts"));
  assert.equal(sample, shown(mod.replace(/^ \* ?/gm, "")));
  const simulator = await startSimulator();
  await using sandbox = makeSandbox(simulator);
  try {
    const { env } = sandbox;
    const store = await openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
    await storePlan(store, simulator.addPlan({ name: "personal" }));
    await store.close();
    const file = join(sandbox.project, "sample.ts");
    const library = pathToFileURL(inRepository("mod.ts")).href;
    Deno.writeTextFileSync(file, sample.replace("./mod.ts", library));
    // Its packages lie where those of this process do.
    const { HOME = "", DENO_DIR } = Deno.env.toObject();
    const { code, stdout, stderr } = await start(
      Deno.execPath(),
      ["run", "-A", "--no-check", "--quiet", "--config", inRepository("deno.json"), file],
      {
        env: { ...env, DENO_DIR: DENO_DIR ?? join(HOME, ".cache", "deno") },
        cwd: sandbox.project,
      },
    ).outcome;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /served by personal/);
  } finally {
    await simulator.close();
  }
});
