import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exists } from "../../scripts/repository.ts";
import { toolPaths } from "../../scripts/tools.ts";

const WORKER = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** What every runtime must find after the worker has done a bit of everything. */
const EXPECTED = {
  accounts: [["x", 2, "noted", ["a"]], ["__proto__", 1, "", []]],
  uses: 3,
  percent: 12.5,
  blocks: ["usage limit"],
  pin: { accountId: "id-x", until: null },
  activeId: "id-x",
  turnId: "id-x",
  locked: false,
  affinity: "id-x",
  open: 2,
  lease: [true, false],
  history: 1,
  changed: false,
  warnings: 0,
};

/** A variable names the program; else the one that `deno task test` has brought is taken. */
function program(variable: string, tool: "bun" | "node"): string | undefined {
  const named = Deno.env.get(variable);
  if (named !== undefined) return named;
  const brought = toolPaths()[tool];
  return exists(brought) ? brought : undefined;
}

const RUNTIMES = [
  ["Deno", Deno.execPath()],
  ["Bun", program("OPENCODE_MULTI_AUTH_TEST_BUN", "bun")],
  ["Node", program("OPENCODE_MULTI_AUTH_TEST_NODE", "node")],
] as const;

async function run(program: string, args: string[], env: Record<string, string> = {}) {
  const command = new Deno.Command(program, { args, env, stdout: "piped", stderr: "piped" });
  const { success, stdout, stderr } = await command.output();
  const said = new TextDecoder().decode(stderr);
  assert.ok(success, said);
  return { out: new TextDecoder().decode(stdout), said };
}

for (const [name, program] of RUNTIMES) {
  if (program === undefined) continue;
  for (const passphrase of ["", "secret words"]) {
    Deno.test(`the store works under ${name}${passphrase && ", sealed"}`, async () => {
      const root = mkdtempSync(join(tmpdir(), "runtimes-"));
      try {
        const bundle = join(root, "worker.mjs");
        await run(Deno.execPath(), ["bundle", "--quiet", "--output", bundle, WORKER]);
        const folder = join(root, "store");
        const runner = name === "Deno" ? ["run", "-A", bundle] : [bundle];
        const { out, said } = await run(program, [...runner, "everything", folder, "x"], {
          CODEX_SOFT_STORE_PASSPHRASE: passphrase,
        });
        assert.deepEqual(JSON.parse(out), EXPECTED);
        assert.equal(said, "", "nothing on standard error");
      } finally {
        rmSync(root, { recursive: true, force: true });
      }
    });
  }
}
