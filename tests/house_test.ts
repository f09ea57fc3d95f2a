/// <reference lib="deno.unstable" />
/**
 * Holds the order of the house: which folder may use which, and what may stand in a file.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join, posix, relative } from "node:path";
import manifest from "../deno.json" with { type: "json" };
import { ROOT } from "../scripts/repository.ts";

/**
 * The floors of `src/`, lowest first. A folder uses its own floor and those below. A new folder gets
 * its place here.
 */
const FLOORS: readonly (readonly string[])[] = [
  ["platform"],
  ["account"],
  ["quota", "oauth", "store"],
  ["rotation"],
  ["codex", "codex_cli"],
  ["limits"],
  ["opencode", "dashboard", "cli", "service"],
];
/** `notify` stands beside the floors: it uses these, and only the top floor and the faces use it. */
const NOTIFY_USES: readonly string[] = ["account", "platform"];
const FACES: readonly string[] = ["mod.ts", "cli.ts", "plugin.ts", "tui.ts"];
const FACE = FLOORS.length;
const MAX_LINES = 300;
const VAGUE = /^(utils?|helpers?|common|types)(\.tsx?)?$/;

/** Text that belongs to the machine or the people that build, put together so that this file may say so. */
const MACHINE = [
  { name: "/work" + "/main", pattern: /(?<![\w.-])\/work\/[\w.]{3}/ },
  { name: "../" + "shared", pattern: /\.\.\/shared(?=[/"'`\s)]|$)/m },
  { name: "/tmp/" + "brief", pattern: /\/tmp\/brief/ },
];

/** What a file uses, read from its syntax tree. */
interface Facts {
  readonly imports: string[];
  readonly globals: Set<string>;
}

function read(path: string, text: string): Facts {
  const facts: Facts = { imports: [], globals: new Set() };
  const found = (source: Deno.lint.Node | null) => {
    if (source?.type === "Literal") facts.imports.push(String(source.value));
  };
  Deno.lint.runPlugin(
    {
      name: "house",
      rules: {
        facts: {
          create: () => ({
            ImportDeclaration: (node) => found(node.source),
            ExportAllDeclaration: (node) => found(node.source),
            ExportNamedDeclaration: (node) => found(node.source),
            ImportExpression: (node) => found(node.source),
            TSImportType: (node) =>
              node.argument.type === "TSLiteralType" ? found(node.argument.literal) : undefined,
            Identifier(node) {
              if (node.name !== "Deno" && node.name !== "console") return;
              const parent = node.parent;
              // `page.console` and `{ console: 1 }` are names of something else.
              if (parent.type === "Property" && parent.key === node && !parent.shorthand) return;
              const isMember = parent.type === "MemberExpression" && parent.property === node &&
                !parent.computed;
              const ofGlobal = isMember && parent.object.type === "Identifier" &&
                parent.object.name === "globalThis";
              if (!isMember || ofGlobal) facts.globals.add(node.name);
            },
          }),
        },
      },
    },
    path,
    text,
  );
  return facts;
}

/** The folder of `src/` that a path lies in; `face` for an entry, undefined for everything else. */
function roomOf(path: string): string | undefined {
  if (FACES.includes(path)) return "face";
  const [top, folder, file] = path.split("/");
  return top === "src" && file !== undefined ? folder : undefined;
}

function floorOf(room: string): number {
  if (room === "face") return FACE;
  return FLOORS.findIndex((floor) => floor.includes(room));
}

function mayUse(from: string, to: string): boolean {
  if (from === to) return from !== "face";
  if (from === "notify") return NOTIFY_USES.includes(to);
  if (to === "notify") return floorOf(from) >= FLOORS.length - 1;
  return floorOf(from) >= floorOf(to);
}

/**
 * All that is wrong with these files, one sentence each.
 *
 * @param files Text by path relative to the repository, with `/`: the faces and everything in `src/`.
 * @param packages Package names that `deno.json` maps.
 */
function violations(files: ReadonlyMap<string, string>, packages: readonly string[]): string[] {
  const wrong: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [path, text] of files) {
    const room = roomOf(path);
    if (room === undefined || (floorOf(room) < 0 && room !== "notify")) {
      wrong.push(
        `${path} lies in no known room. Register its folder in FLOORS of tests/house_test.ts.`,
      );
      continue;
    }
    const lines = text.replace(/\n$/, "").split("\n").length;
    if (lines > MAX_LINES) wrong.push(`${path} has ${lines} lines, more than ${MAX_LINES}.`);
    const { imports, globals } = read(path, text);
    if (globals.has("Deno")) wrong.push(`${path} uses Deno, which Bun and Node lack.`);
    if (globals.has("console") && room !== "cli") {
      wrong.push(`${path} uses console; only src/cli writes to a terminal.`);
    }
    const uses: string[] = [];
    for (const specifier of imports) {
      if (!specifier.startsWith(".")) {
        const known = specifier.startsWith("node:") || specifier === "bun:sqlite" ||
          packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
        if (!known) wrong.push(`${path} imports ${specifier}, which deno.json does not map.`);
        continue;
      }
      const target = posix.join(posix.dirname(path), specifier);
      if (target === "deno.json") continue;
      const to = roomOf(target);
      if (to === undefined) wrong.push(`${path} imports ${target} from outside of src/.`);
      else if (!mayUse(room, to)) wrong.push(`${path} (${room}) must not use ${target} (${to}).`);
      else uses.push(target);
    }
    graph.set(path, uses);
  }
  return [...wrong, ...circles(graph)];
}

/** Every circle of imports, named once. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: string[]) => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      found.push(`Circle of imports: ${[...trail.slice(start), path].join(" -> ")}.`);
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}

const NOT_OURS = new Set([".git", ".tools", "node_modules", "dist", "npm", "coverage", "fixtures"]);

/** Reads every text file of the repository that people write; recorded fixtures are not among them. */
function collect(folder = ROOT, into = new Map<string, string>()): Map<string, string> {
  for (const entry of Deno.readDirSync(folder)) {
    if (NOT_OURS.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory) collect(path, into);
    else if (/(\.(tsx?|js|css|json|md|sh|ya?ml|service)|^run)$/.test(entry.name)) {
      into.set(relative(ROOT, path).replaceAll("\\", "/"), Deno.readTextFileSync(path));
    }
  }
  return into;
}

/** What must not stand in any file, wherever it lies. */
function foreignMentions(files: ReadonlyMap<string, string>): string[] {
  const wrong: string[] = [];
  for (const [path, text] of files) {
    for (const { name, pattern } of MACHINE) {
      if (pattern.test(text)) wrong.push(`${path} mentions ${name}, which is no place of ours.`);
    }
    if (/["'`]jsr:/.test(text)) wrong.push(`${path} takes a package from JSR; npm alone is there.`);
    if (path.split("/").some((part) => VAGUE.test(part))) {
      wrong.push(`${path} is named after nothing it holds.`);
    }
  }
  return wrong;
}

const PACKAGES = Object.keys(manifest.imports);

Deno.test("src/ and the faces keep the order of the house", () => {
  const files = new Map(
    [...collect()].filter(([path]) =>
      FACES.includes(path) || (path.startsWith("src/") && /\.tsx?$/.test(path))
    ),
  );
  assert.ok(files.size > 10, `only ${files.size} files were read`);
  assert.deepEqual(violations(files, PACKAGES), []);
});

Deno.test("no file names the machine it was written on, a JSR package or a room for everything", () => {
  const files = collect();
  assert.ok(files.has("deno.json") && files.has("tests/house_test.ts"));
  assert.deepEqual(foreignMentions(files), []);
});

/** Files that break one rule each, and what must be said about them. */
const BROKEN: readonly (readonly [rule: string, files: Record<string, string>, said: RegExp])[] = [
  ["a lower room uses a higher one", {
    "src/platform/clock.ts": `import { pool } from "../rotation/pool.ts";`,
    "src/rotation/pool.ts": "",
  }, /clock\.ts \(platform\) must not use src\/rotation\/pool\.ts \(rotation\)/],
  ["a type counts as a use", {
    "src/codex/fetch.ts": `export type X = import("../limits/queue.ts").Queue;`,
    "src/limits/queue.ts": "",
  }, /fetch\.ts \(codex\) must not use/],
  ["a re-export counts as a use", {
    "src/quota/block.ts": `export * from "../codex_cli/rollout.ts";`,
    "src/codex_cli/rollout.ts": "",
  }, /block\.ts \(quota\) must not use/],
  ["a late import counts as a use", {
    "src/store/store.ts": `export const pool = () => import("../rotation/pool.ts");`,
    "src/rotation/pool.ts": "",
  }, /store\.ts \(store\) must not use/],
  ["a room uses a face", {
    "src/dashboard/page.tsx": `import "../../cli.ts";`,
    "cli.ts": "",
  }, /page\.tsx \(dashboard\) must not use cli\.ts \(face\)/],
  ["notify uses more than account and platform", {
    "src/notify/ntfy.ts": `import "../quota/block.ts";`,
    "src/quota/block.ts": "",
  }, /ntfy\.ts \(notify\) must not use/],
  ["notify is used from below the top floor", {
    "src/codex/fetch.ts": `import "../notify/ntfy.ts";`,
    "src/notify/ntfy.ts": "",
  }, /fetch\.ts \(codex\) must not use/],
  ["src/ uses tests or scripts", {
    "src/cli/demo.ts": `import "../../tests/simulator/simulator.ts";`,
  }, /from outside of src/],
  [
    "files go in a circle",
    {
      "src/quota/a.ts": `import "../store/b.ts";`,
      "src/store/b.ts": `import type { C } from "../oauth/c.ts";`,
      "src/oauth/c.ts": `import "../quota/a.ts";`,
    },
    /Circle of imports: src\/quota\/a\.ts -> src\/store\/b\.ts -> src\/oauth\/c\.ts -> src\/quota\/a\.ts/,
  ],
  ["a folder is not registered", { "src/metrics/count.ts": "" }, /Register its folder in FLOORS/],
  ["a file lies outside of every room", { "src/index.ts": "" }, /Register its folder in FLOORS/],
  ["Deno is used", { "src/store/local.ts": `export const os = Deno.build.os;` }, /uses Deno/],
  ["Deno is used by way of globalThis", {
    "plugin.ts": `export default globalThis.Deno;`,
  }, /uses Deno/],
  ["the plugin prints", { "plugin.ts": `console.warn("x");` }, /plugin\.ts uses console/],
  ["a room prints", { "src/codex/fetch.ts": `const { log } = console;` }, /uses console/],
  ["a package is not mapped", {
    "src/cli/run.ts": `import "npm:left-pad";`,
  }, /imports npm:left-pad, which deno\.json does not map/],
  ["a package comes from JSR", {
    "src/cli/run.ts": `import "jsr` + `:@std/path";`,
  }, /imports jsr/],
  ["a file is too long", { "src/cli/run.ts": "\n".repeat(301) }, /has 301 lines/],
];

for (const [rule, files, said] of BROKEN) {
  Deno.test(`the house notices: ${rule}`, () => {
    const wrong = violations(new Map(Object.entries(files)), PACKAGES);
    assert.equal(wrong.length, 1, wrong.join("\n"));
    assert.match(wrong[0] ?? "", said);
  });
}

Deno.test("the house lets through what is in order", () => {
  const files = {
    "mod.ts": `export * from "./src/rotation/pool.ts";`,
    "src/rotation/pool.ts":
      `/** Like Deno.test, but not console.log. */\nimport { s } from "../store/store.ts";`,
    "src/store/store.ts": `import * as v from "valibot"; import "node:fs"; import "../quota/w.ts";`,
    "src/quota/w.ts": `export const page = { console: "Deno" }; page.console;`,
    "src/platform/version.ts": `import manifest from "../../deno.json" with { type: "json" };`,
    "src/cli/add.ts": `import "../notify/ntfy.ts"; console.log("x");`,
    "src/notify/ntfy.ts": `import "../platform/version.ts";`,
    "src/cli/page.tsx": `export const page = () => <p>it's "fine" here</p>;`,
  };
  assert.deepEqual(violations(new Map(Object.entries(files)), PACKAGES), []);
});

Deno.test("the house notices foreign mentions", () => {
  const said = (path: string, text: string) => foreignMentions(new Map([[path, text]])).length;
  for (const { name } of MACHINE) assert.equal(said("README.md", `See ${name}/x.`), 1, name);
  assert.equal(said("deno.json", `{"a": "jsr` + `:@std/path@1"}`), 1);
  assert.equal(said("tests/helpers/x.ts", ""), 1);
  assert.equal(said("docs/a.md", "A worker in src/store/shared.ts does the work/rest."), 0);
});
