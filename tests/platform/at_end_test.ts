import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toolPaths } from "../../scripts/tools.ts";

const PROGRAM = fileURLToPath(new URL("./ending_program.ts", import.meta.url));

/** How the program listens, how it ends at SIGTERM, and whether it has saved. */
const ENDS = [
  ["alone", { code: 143, signal: "SIGTERM" }, true],
  ["another listens", { code: 7, signal: null }, true],
  ["twice", { code: 143, signal: "SIGTERM" }, true],
  ["stopped", { code: 143, signal: "SIGTERM" }, false],
  ["nothing to do", { code: 0, signal: null }, true],
] as const;

const { bun, node } = toolPaths();

for (const [name, program] of [["Deno", Deno.execPath()], ["Bun", bun], ["Node", node]] as const) {
  if (!existsSync(program)) continue;
  Deno.test(`the last second is saved at a signal, and the end is as it was without us: ${name}`, async () => {
    const root = mkdtempSync(join(tmpdir(), "end-"));
    try {
      const bundle = join(root, "program.mjs");
      const bundling = new Deno.Command(Deno.execPath(), {
        args: ["bundle", "--quiet", "--output", bundle, PROGRAM],
      });
      assert.ok((await bundling.output()).success);
      for (const [how, expected, saves] of ENDS) {
        const file = join(root, how);
        const child = new Deno.Command(program, {
          args: [...(name === "Deno" ? ["run", "-A", bundle] : [bundle]), how, file],
          stdout: "piped",
        }).spawn();
        const reader = child.stdout.getReader();
        if (how !== "nothing to do") {
          await reader.read();
          child.kill("SIGTERM");
        }
        const { code, signal } = await child.status;
        assert.deepEqual({ code, signal }, expected, how);
        assert.equal(existsSync(file), saves, how);
        await reader.cancel();
      }
    } finally {
      rmSync(root, { recursive: true });
    }
  });
}
