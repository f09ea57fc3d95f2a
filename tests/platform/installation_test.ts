import assert from "node:assert/strict";
import { findInstallation, startWords } from "../../src/platform/installation.ts";
import { PERMISSIONS } from "../../src/platform/permissions.ts";

interface Row {
  readonly program: string | undefined;
  readonly execPath?: string;
  readonly runtime?: "deno" | "bun" | "node";
  /** Files that are there. */
  readonly there?: readonly string[];
  /** Where a link leads. */
  readonly link?: string;
}

function find({ program, execPath = "/usr/bin/node", runtime = "node", there = [], link }: Row) {
  return findInstallation({
    program,
    execPath,
    // Deno and Bun report a Node version as well.
    versions: { node: "24.0.0", [runtime]: "1.2.3" },
    env: { HOME: "/home/me" },
    follow: (path) => link ?? path,
    exists: (path) => there.includes(path),
  });
}

const MODULE = "node_modules/opencode-multi-auth-codex/cli.js";
const CACHE = "/home/me/.cache/opencode/packages/opencode-multi-auth-codex@latest";
const CHECKOUT = ["/src/oma/deno.json", "/src/oma/cli.ts"];

const ROWS:
  readonly (readonly [name: string, Row, kind: string, place: string, manager?: string])[] = [
    [
      "a binary of deno compile",
      {
        program: "file:///tmp/deno-compile-opencode-multi-auth/cli.js",
        execPath: "/usr/local/bin/opencode-multi-auth",
        runtime: "deno",
      },
      "binary",
      "/usr/local/bin/opencode-multi-auth",
    ],
    [
      "a binary that was given a runtime's name",
      {
        program: "file:///tmp/deno-compile-node/cli.js",
        execPath: "/opt/node",
        runtime: "deno",
      },
      "binary",
      "/opt/node",
    ],
    [
      "a binary of bun build --compile",
      { program: "file:///$bunfs/root/oma", execPath: "/opt/oma", runtime: "bun" },
      "binary",
      "/opt/oma",
    ],
    [
      "npm install --global, called by its link",
      { program: "file:///usr/local/bin/opencode-multi-auth", link: `/usr/local/lib/${MODULE}` },
      "package",
      `/usr/local/lib/${MODULE}`,
      "npm",
    ],
    [
      "npm install --global under nvm",
      { program: `file:///home/me/.nvm/versions/node/v24/lib/${MODULE}` },
      "package",
      `/home/me/.nvm/versions/node/v24/lib/${MODULE}`,
      "npm",
    ],
    [
      "bun add --global",
      {
        program: `file:///home/me/.bun/install/global/${MODULE}`,
        execPath: "/home/me/.bun/bin/bun",
        runtime: "bun",
      },
      "package",
      `/home/me/.bun/install/global/${MODULE}`,
      "bun",
    ],
    [
      "pnpm add --global",
      { program: `file:///home/me/.local/share/pnpm/global/5/${MODULE}` },
      "package",
      `/home/me/.local/share/pnpm/global/5/${MODULE}`,
      "pnpm",
    ],
    [
      "yarn global add",
      { program: `file:///home/me/.config/yarn/global/${MODULE}` },
      "package",
      `/home/me/.config/yarn/global/${MODULE}`,
      "yarn",
    ],
    [
      "npx",
      { program: `file:///home/me/.npm/_npx/0a1b/${MODULE}` },
      "npx",
      `/home/me/.npm/_npx/0a1b/${MODULE}`,
    ],
    [
      "bunx",
      { program: `file:///tmp/bunx-1000-opencode-multi-auth-codex@latest/${MODULE}` },
      "npx",
      `/tmp/bunx-1000-opencode-multi-auth-codex@latest/${MODULE}`,
    ],
    ["a project", { program: `file:///src/app/${MODULE}` }, "project", `/src/app/${MODULE}`],
    [
      "OpenCode's cache",
      { program: `file://${CACHE}/${MODULE}` },
      "opencode",
      `${CACHE}/${MODULE}`,
    ],
    [
      "a checkout by its source",
      {
        program: "file:///src/oma/cli.ts",
        execPath: "/opt/deno",
        runtime: "deno",
        there: CHECKOUT,
      },
      "source",
      "/src/oma",
    ],
    [
      "a checkout by its built package",
      { program: "file:///src/oma/npm/cli.js", there: CHECKOUT },
      "source",
      "/src/oma",
    ],
    [
      "an address",
      { program: "https://example.org/v1/cli.js", execPath: "/opt/deno", runtime: "deno" },
      "url",
      "https://example.org/v1/cli.js",
    ],
    [
      "a downloaded file in a folder with a space",
      { program: "file:///home/me/my%20tools/cli.js" },
      "file",
      "/home/me/my tools/cli.js",
    ],
  ];

for (const [name, row, kind, place, manager] of ROWS) {
  Deno.test(`an installation is told apart: ${name}`, () => {
    const { kind: found, place: at, manager: by } = find(row);
    assert.deepEqual([found, at, by], [kind, place, manager]);
  });
}

Deno.test("each form is started again as it was", () => {
  const words = (row: Row) => startWords(find(row));
  assert.deepEqual(words({ program: "x", execPath: "/opt/oma" }), ["/opt/oma"]);
  assert.deepEqual(words({ program: "file:///a/cli.js" }), ["/usr/bin/node", "/a/cli.js"]);
  const deno = { execPath: "/opt/deno", runtime: "deno", there: CHECKOUT } as const;
  const run = ["/opt/deno", "run", ...PERMISSIONS];
  assert.deepEqual(words({ ...deno, program: "file:///src/oma/cli.ts" }), [
    ...run,
    "/src/oma/cli.ts",
  ]);
  assert.deepEqual(words({ ...deno, program: "https://x.example/cli.js" }), [
    ...run,
    "https://x.example/cli.js",
  ]);
  assert.deepEqual(words({ program: "file:///src/oma/dist/cli.js", there: CHECKOUT }), [
    "/usr/bin/node",
    "/src/oma/npm/cli.js",
  ]);
});
