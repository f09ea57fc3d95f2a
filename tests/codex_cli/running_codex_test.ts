import assert from "node:assert/strict";
import { join } from "node:path";
import { findCodex, isCodex } from "../../src/codex_cli/running_codex.ts";
import { systemFiles } from "../../src/platform/files.ts";

for (
  const [command, expected] of [
    ["codex", true],
    ["/usr/local/bin/codex exec hello", true],
    ["codex.exe", true],
    ["node /usr/lib/node_modules/@openai/codex/bin/codex.js", true],
    ["bun /home/a/.bun/bin/codex resume", true],
    ["codex app-server", true],
    ["codex login --device-auth", false],
    ["node /x/codex.js logout", false],
    ["vim codex", false],
    ["codex-linux-sandbox", false],
    ["opencode-multi-auth codex login work", false],
    ["node server.js codex", false],
    ["", false],
  ] as const
) {
  Deno.test(`"${command}" ${expected ? "is" : "is not"} a Codex that keeps its account`, () =>
    assert.equal(isCodex(command.split(" ")), expected));
}

/** A program called codex that does nothing for a while. */
async function withCodex(
  env: Record<string, string>,
  work: (pid: number) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  const file = join(folder, "codex");
  // A copy of a real program: a script would show its shell's name.
  Deno.copyFileSync(Deno.realPathSync("/bin/sleep"), file);
  Deno.chmodSync(file, 0o755);
  const child = new Deno.Command(file, { args: ["60"], env, stdout: "null" }).spawn();
  try {
    await work(child.pid);
  } finally {
    child.kill("SIGKILL");
    await child.status;
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("a running Codex is found, one with another home is not", () => {
  const home = "/somewhere/.codex";
  return withCodex({ CODEX_HOME: home }, async (pid) => {
    assert.ok((await findCodex({ CODEX_HOME: home })())?.includes(pid));
    assert.ok(!(await findCodex({ CODEX_HOME: "/elsewhere" })())?.includes(pid));
  });
});

Deno.test("where /proc cannot be read, ps finds it; without ps nobody can tell", async () => {
  const path = Deno.env.get("PATH") ?? "/usr/bin:/bin";
  const closed = new Proxy(systemFiles, {
    get: (target, name: keyof typeof systemFiles) =>
      name === "read" || name === "list"
        ? () => {
          throw new Error("not allowed");
        }
        : target[name],
  });
  await withCodex({ CODEX_HOME: "/x" }, async (pid) => {
    assert.ok((await findCodex({ PATH: path }, closed)())?.includes(pid));
    assert.equal(await findCodex({ PATH: "/no/such/folder" }, closed)(), undefined);
  });
});
