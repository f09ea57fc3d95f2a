import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../src/cli/context.ts";
import { VERSION } from "../../src/platform/version.ts";
import { withSession } from "./session.ts";

function runBy(execPath: string, runtime: string, programFile: string): Partial<Context> {
  const versions = { node: "24.1.0", [runtime]: "2.0.0" };
  return { programFile, machine: { platform: "linux", uid: 501, execPath, versions } };
}

const MODULE = "node_modules/opencode-multi-auth-codex/cli.js";

/** How it was installed -> the command that is advised first. */
const ROWS: readonly (readonly [string, Partial<Context>, string, string])[] = [
  [
    "a binary",
    runBy("/opt/my tools/oma", "deno", "file:///tmp/deno-compile-oma/cli.js"),
    "Installed as one binary: /opt/my tools/oma",
    "sha256sum --check --ignore-missing SHA256SUMS",
  ],
  [
    "npm",
    runBy("/usr/bin/node", "node", `file:///usr/lib/${MODULE}`),
    `Installed by npm: /usr/lib/${MODULE}`,
    "npm install --global opencode-multi-auth-codex@latest",
  ],
  [
    "Bun",
    runBy("/opt/bun", "bun", `file:///h/.bun/install/global/${MODULE}`),
    `Installed by bun: /h/.bun/install/global/${MODULE}`,
    "bun add --global opencode-multi-auth-codex@latest",
  ],
  [
    "npx",
    runBy("/usr/bin/node", "node", `file:///h/.npm/_npx/1/${MODULE}`),
    `A package runner's throw-away copy: /h/.npm/_npx/1/${MODULE}`,
    "npx opencode-multi-auth-codex@latest status",
  ],
  [
    "an address",
    runBy("/opt/deno", "deno", "https://x.example/cli.js"),
    "Run by its address: https://x.example/cli.js",
    "deno cache --reload https://x.example/cli.js",
  ],
  [
    "a downloaded file",
    runBy("/opt/deno", "deno", "file:///h/it's/cli.js"),
    "Run from a downloaded file: /h/it's/cli.js",
    "mv cli.js '/h/it'\\''s/cli.js'",
  ],
];

for (const [name, on, told, first] of ROWS) {
  Deno.test(`upgrade and version name how it was installed: ${name}`, () =>
    withSession(async (session) => {
      const { code, out } = await session.runWith(on, "upgrade");
      assert.equal(code, 0);
      assert.ok(out.includes(`\n${told}\n`), out);
      assert.ok(out.includes(`\n  ${first}\n`), out);
      const { commands } = JSON.parse((await session.runWith(on, "upgrade", "--json")).out);
      assert.equal(commands[0], first);
      assert.ok((await session.runWith(on, "version")).out.includes(`\n${told}\n`));
      assert.deepEqual(session.files(), {});
    }));
}

Deno.test("upgrade of OpenCode's own copy and of a checkout names what renews those", () =>
  withSession(async (session) => {
    const cached = join(session.home, ".cache/opencode/packages/x@latest", MODULE);
    const own = await session.runWith(
      runBy("/usr/bin/node", "node", `file://${cached}`),
      "upgrade",
    );
    assert.match(own.out, /^ {2}npx opencode-multi-auth-codex@latest install$/m);
    for (const name of ["deno.json", "cli.ts"]) writeFileSync(join(session.home, name), "");
    const source = runBy("/opt/deno", "deno", `file://${session.home}/cli.ts`);
    const { out } = await session.runWith(source, "upgrade");
    assert.match(out, /^ {2}git -C \S+ pull\n {2}cd \S+\n {2}npx -y deno@\S+ task npm$/m);
  }));

Deno.test("upgrade reminds of the service where one is installed", () =>
  withSession(async (session) => {
    const bin = join(session.home, "bin");
    const units = join(session.home, ".config/systemd/user");
    mkdirSync(bin);
    mkdirSync(units, { recursive: true });
    writeFileSync(join(bin, "systemctl"), "", { mode: 0o755 });
    const on = {
      ...runBy("/opt/oma", "deno", "x"),
      env: { HOME: session.home, PATH: bin },
    };
    assert.doesNotMatch((await session.runWith(on, "upgrade")).out, /service install/);
    writeFileSync(join(units, "codex-soft.service"), "[Service]\nExecStart=/x web\n");
    assert.match(
      (await session.runWith(on, "upgrade")).out,
      /^ {2}opencode-multi-auth service install /m,
    );
  }));

Deno.test("version --json says everything about the running copy", () =>
  withSession(async (session) => {
    const on = runBy("/usr/bin/node", "node", `file:///usr/lib/${MODULE}`);
    const { out } = await session.runWith(on, "version", "--json");
    assert.deepEqual(JSON.parse(out), {
      name: "opencode-multi-auth",
      version: VERSION,
      installation: "package",
      place: `/usr/lib/${MODULE}`,
      manager: "npm",
      runtime: "node",
      runtimeVersion: "2.0.0",
      platform: "linux",
    });
  }));
