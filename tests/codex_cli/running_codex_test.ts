import assert from "node:assert/strict";
import { join } from "node:path";
import { toolPaths } from "../../scripts/tools.ts";
import { findCodex, isCodex } from "../../src/codex_cli/running_codex.ts";
import { sleep, systemClock } from "../../src/platform/clock.ts";
import { systemFiles } from "../../src/platform/files.ts";

for (
  const [command, expected] of [
    ["codex", true],
    ["/usr/local/bin/codex exec hello", true],
    ["codex.exe", true],
    // npm's script starts the real one, which is found by itself.
    ["node /usr/lib/node_modules/@openai/codex/bin/codex.js", false],
    ["bun /home/a/.bun/bin/codex resume", false],
    ["/x/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex resume", true],
    ["node /home/a/game/codex.js", false],
    ["codex app-server", true],
    ["codex login --device-auth", false],
    ["codex -c model=x --search login", false],
    ["codex --model=x -p mine --version", false],
    ["codex --profile login exec hello", true],
    ["codex -m gpt-5 -s read-only", true],
    ["codex -i a.png login", true],
    ["codex -i a.png --search login", false],
    ["codex -- login", true],
    ["codex tell me about login", true],
    ["codex mcp list", false],
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

Deno.test("another program that calls itself codex is not taken for one", async () => {
  const home = "/somewhere/.codex";
  const child = new Deno.Command("perl", {
    args: ["-e", 'exec { $^X } "codex", "-e", "sleep 60"'],
    env: { CODEX_HOME: home },
    stdout: "null",
  }).spawn();
  try {
    const named = () =>
      new TextDecoder().decode(systemFiles.read(`/proc/${child.pid}/cmdline`)).startsWith(
        "codex\0",
      );
    for (let round = 0; round < 200 && !named(); round++) await sleep(systemClock, 25);
    assert.ok(named());
    assert.ok(!(await findCodex({ CODEX_HOME: home })())?.includes(child.pid));
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
});

Deno.test("a Codex that was installed by npm is one, not its script and it", async () => {
  const folder = Deno.makeTempDirSync();
  const script = join(folder, "bin.js");
  const real = join(folder, "codex");
  Deno.copyFileSync(Deno.realPathSync("/bin/sleep"), real);
  Deno.chmodSync(real, 0o755);
  Deno.writeTextFileSync(
    script,
    `import { spawn } from "node:child_process"; spawn(${JSON.stringify(real)}, ["60"]);`,
  );
  // As its shebang does: the runtime, and the link to the script that is called codex.
  const link = join(folder, "node_modules", "@openai", "codex", "bin");
  Deno.mkdirSync(link, { recursive: true });
  Deno.symlinkSync(script, join(link, "codex.js"));
  const child = new Deno.Command(toolPaths().node, {
    args: [join(link, "codex.js")],
    env: { CODEX_HOME: folder },
    stdout: "null",
  }).spawn();
  let found: readonly number[] = [];
  try {
    const find = findCodex({ CODEX_HOME: folder });
    for (let round = 0; round < 200 && found.length === 0; round++) {
      found = await find() ?? [];
      await sleep(systemClock, 25);
    }
    assert.equal(found.length, 1);
    assert.notEqual(found[0], child.pid);
  } finally {
    for (const pid of found) Deno.kill(pid, "SIGKILL");
    child.kill("SIGKILL");
    await child.status;
    Deno.removeSync(folder, { recursive: true });
  }
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
