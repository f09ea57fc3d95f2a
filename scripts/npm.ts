/**
 * Builds the npm package into `npm/` and packs it as `npm/*.tgz`. OpenCode loads it from there, from
 * a registry, or from a branch that holds nothing else; so it has no dependency and no script.
 *
 * @module
 */
import { join } from "node:path";
import { PACKAGE, PROGRAM } from "../src/platform/version.ts";
import { bundle, bundleProgram } from "./bundle.ts";
import { thirdPartyLicenses } from "./licenses.ts";
import { inRepository, VERSION } from "./repository.ts";
import { run, script, size } from "./program.ts";

/**
 * What a TypeScript user of the package sees. Written by hand, without types from elsewhere, so that
 * it can be read where `@opencode-ai/plugin` is not installed.
 */
const DECLARATIONS = `/** OpenCode's plugin: rotates requests over several ChatGPT accounts. */
declare const plugin: {
  /** The plugin's name in OpenCode. */
  id: string;
  /** Called by OpenCode once for each project; gives its hooks. */
  server: (input: unknown, options?: unknown) => Promise<object>;
};
export default plugin;
`;

/** What OpenCode gives to a TUI plugin: its own copies, which the bundle imports and does not carry. */
const TUI_HOST = ["@opentui/solid", "solid-js"] as const;

const DOCUMENTS = ["README.md", "LICENSE", "CHANGELOG.md"] as const;

/** Pages that the README leads to, by their path in the repository. */
function pagesOf(readme: string): string[] {
  const links = readme.matchAll(/\]\((docs\/[\w-]+\.md)[#)]/g);
  return [...new Set([...links].map(([, page = ""]) => page))];
}

/** One of the plugin's files. */
interface PluginFile {
  readonly entry: string;
  readonly file: string;
  /** Bytes that it may have. */
  readonly limit: number;
  /** What it imports late, as the source spells it, and the file that holds that. */
  readonly late: Readonly<Record<string, string>>;
}

/**
 * What OpenCode waits for at every start; what serves requests, loaded once OpenCode has its models or
 * its `fetch` from us; and what is loaded at its first use.
 */
const PLUGIN_FILES: readonly PluginFile[] = [
  {
    entry: "plugin.ts",
    file: "plugin.js",
    limit: 16 * 1024,
    late: {
      "./client_part.ts": "client.js",
      "./sign_in.ts": "sign_in.js",
      "./tool_answers.ts": "later.js",
      "./notifications.ts": "notifications.js",
    },
  },
  {
    entry: "src/opencode/client_part.ts",
    file: "client.js",
    limit: 120 * 1024,
    late: {
      "./recheck.ts": "later.js",
      "./collect.ts": "later.js",
      "./discovery.ts": "later.js",
      "./older_formats.ts": "later.js",
      "./account_roster.ts": "later.js",
      "./token_changes.ts": "later.js",
      "./renewing.ts": "later.js",
    },
  },
  { entry: "src/opencode/later.ts", file: "later.js", limit: 90 * 1024, late: {} },
  {
    entry: "src/opencode/notifications.ts",
    file: "notifications.js",
    limit: 40 * 1024,
    late: {},
  },
  { entry: "src/opencode/sign_in.ts", file: "sign_in.js", limit: 60 * 1024, late: {} },
];

/** The command line's entry and its parts: as the source names them, the files of the package, and the bytes they may have. */
const COMMAND_LINE = "cli.js";
const COMMAND_LINE_PARTS = [
  { source: "./quick.ts", file: "cli_quick.js", limit: 104 * 1024 },
  { source: "./whole.ts", file: "cli_whole.js", limit: 700 * 1024 },
] as const;

/** Licences of the code that is bundled. */
const NOTICES = "THIRD_PARTY_LICENSES";

/** The package's `package.json`. */
function manifest(): Record<string, unknown> {
  const entry = { types: "./plugin.d.ts", default: "./plugin.js" };
  return {
    name: PACKAGE,
    version: VERSION,
    description:
      "Rotates OpenCode's requests over several ChatGPT accounts of one person and shows what is left where.",
    keywords: ["opencode", "opencode-plugin", "chatgpt", "codex", "oauth", "multi-account"],
    license: "MIT",
    type: "module",
    main: "./plugin.js",
    types: "./plugin.d.ts",
    bin: { [PROGRAM]: COMMAND_LINE },
    // OpenCode asks for "./server"; with "." alone it loads nothing and says nothing.
    exports: {
      ".": entry,
      "./server": entry,
      "./tui": { default: "./tui.js" },
      "./package.json": "./package.json",
    },
    files: [
      ...PLUGIN_FILES.map(({ file }) => file),
      "plugin.d.ts",
      "tui.js",
      COMMAND_LINE,
      ...COMMAND_LINE_PARTS.map(({ file }) => file),
      ...DOCUMENTS,
      "docs",
      NOTICES,
    ],
    engines: { node: ">=22.13", opencode: ">=1.18" },
  };
}

/** What was built. */
export interface NpmPackage {
  /** The folder that OpenCode can load as `file://…`. */
  readonly folder: string;
  /** The packed package. */
  readonly tarball: string;
  /** Size of `plugin.js` in bytes. */
  readonly pluginBytes: number;
  /** Size of `client.js` in bytes, which serves the plugin's requests. */
  readonly clientBytes: number;
}

/**
 * Builds the package.
 *
 * @throws {Error} when the plugin is too large, exports more than its default, or names this machine's folders.
 */
export async function npmPackage(): Promise<NpmPackage> {
  const folder = inRepository("npm");
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  Deno.mkdirSync(folder);

  await bundlePlugin(folder);
  await checkExports(join(folder, "plugin.js"));
  await bundleTui(join(folder, "tui.js"));

  Deno.writeTextFileSync(join(folder, "plugin.d.ts"), DECLARATIONS);
  await bundleCommandLineParts(folder);
  for (const name of DOCUMENTS) Deno.copyFileSync(inRepository(name), join(folder, name));
  Deno.mkdirSync(join(folder, "docs"));
  for (const page of pagesOf(Deno.readTextFileSync(inRepository("README.md")))) {
    Deno.copyFileSync(inRepository(page), join(folder, page));
  }
  Deno.writeTextFileSync(join(folder, NOTICES), await thirdPartyLicenses());
  Deno.writeTextFileSync(
    join(folder, "package.json"),
    `${JSON.stringify(manifest(), null, 2)}\n`,
  );

  const packed: unknown = JSON.parse(
    await run("npm", ["pack", "--json", "--ignore-scripts", "--silent"], { cwd: folder }),
  );
  const bytes = (file: string) => Deno.statSync(join(folder, file)).size;
  return {
    folder,
    tarball: join(folder, filename(packed)),
    pluginBytes: bytes("plugin.js"),
    clientBytes: bytes("client.js"),
  };
}

/**
 * Bundles the plugin's files.
 *
 * @throws {Error} when one is larger than it may be, or does not import each late part in the one place that is known.
 */
async function bundlePlugin(folder: string): Promise<void> {
  for (const { entry, file, limit, late } of PLUGIN_FILES) {
    let text = await bundle(entry, join(folder, file), Object.keys(late));
    for (const [source, part] of Object.entries(late)) text = withImportOf(text, source, part);
    refuseLarger(file, text, limit, entry);
    Deno.writeTextFileSync(join(folder, file), text);
  }
}

/**
 * Holds a bundle to its size.
 *
 * @throws {Error} when it has more than `limit` bytes.
 */
function refuseLarger(file: string, { length }: string, limit: number, entry: string): void {
  if (length <= limit) return;
  throw new Error(`${file} has ${length} bytes, more than ${limit}. See what ${entry} reaches.`);
}

/**
 * Bundles the command line in parts, so that what is called often need not read what is not.
 *
 * @throws {Error} when a part is larger than it may be, or the entry does not import each part once.
 */
async function bundleCommandLineParts(folder: string): Promise<void> {
  const entry = join(folder, COMMAND_LINE);
  const sources = COMMAND_LINE_PARTS.map(({ source }) => source);
  let text = await bundleProgram("src/cli/launcher.ts", entry, sources);
  for (const { source, file, limit } of COMMAND_LINE_PARTS) {
    text = withImportOf(text, source, file);
    const part = join("src/cli", source);
    refuseLarger(file, await bundle(part, join(folder, file)), limit, part);
  }
  Deno.writeTextFileSync(entry, text);
}

/**
 * Lets a bundle import a file of the package where its source imports a part of ours.
 *
 * @throws {Error} when it does not do so in exactly one place.
 */
function withImportOf(text: string, source: string, file: string): string {
  const parts = text.split(`import("${source}")`);
  if (parts.length !== 2) {
    throw new Error(`The bundle imports ${source} ${parts.length - 1} times, not once.`);
  }
  return parts.join(`import("./${file}")`);
}

/**
 * Bundles the entry for OpenCode's terminal interface.
 *
 * @throws {Error} when it does not import what OpenCode gives it.
 */
async function bundleTui(tui: string): Promise<void> {
  const text = await bundle("tui.ts", tui, TUI_HOST);
  for (const name of TUI_HOST) {
    // OpenCode finds its imports by their text.
    const times = text.split(`import("${name}")`).length - 1;
    if (times !== 1) throw new Error(`tui.js imports ${name} ${times} times, not once.`);
  }
}

/** Loads the plugin in a process of its own and looks at what it exports. */
async function checkExports(plugin: string): Promise<void> {
  const program = `
    const module = await import(${JSON.stringify(new URL(`file://${plugin}`).href)});
    const { id, server } = module.default ?? {};
    console.log(JSON.stringify([Object.keys(module), id, typeof server]));
  `;
  const seen = (await run(Deno.execPath(), ["eval", "--no-lock", program])).trim();
  const wanted = JSON.stringify([["default"], PROGRAM, "function"]);
  if (seen !== wanted) {
    throw new Error(
      `plugin.js exports ${seen} and has to export ${wanted}. OpenCode refuses or calls anything else.`,
    );
  }
}

/** The file's name in `npm pack --json`, a list up to npm 11 and a map by package name after it. */
function filename(packed: unknown): string {
  const entries = typeof packed === "object" && packed !== null ? Object.values(packed) : [];
  const name = (entries[0] as { filename?: unknown } | undefined)?.filename;
  if (typeof name !== "string") throw new Error("npm pack did not say which file it wrote.");
  return name;
}

if (import.meta.main) {
  await script(async () => {
    const built = await npmPackage();
    const sizes = `plugin.js ${size(built.pluginBytes)}, client.js ${size(built.clientBytes)}`;
    console.log(`${built.tarball} (${sizes}, version ${VERSION})`);
  });
}
