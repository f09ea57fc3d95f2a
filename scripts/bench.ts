/**
 * `deno task bench`: what the plugin costs, measured on this machine in the runtime that OpenCode
 * uses. Requests are interleaved with those of a bare `fetch` in the same process; the difference of
 * the medians is what the plugin adds. `--json` prints the figures for programs. Ends with 1 when a
 * figure is over its budget.
 *
 * @module
 */
import { bundleCommandLine } from "./bundle.ts";
import { npmPackage } from "./npm.ts";
import { inRepository } from "./repository.ts";
import { tools } from "./tools.ts";
import { systemClock } from "../src/platform/clock.ts";
import { resolvePaths } from "../src/platform/paths.ts";
import { openLocalStore } from "../src/store/local.ts";
import { storePlan } from "../tests/simulated_account.ts";
import { startSimulator } from "../tests/simulator/simulator.ts";

/** One figure and what it may be. */
interface Line {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly budget: number;
}

const IMPORTS = 15;

const quantile = (values: readonly number[], share: number) => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
};

async function output(
  program: string,
  args: string[],
  env: Record<string, string>,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    env,
    clearEnv: true,
    stdin: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).slice(0, 2_000));
  return new TextDecoder().decode(stdout).trim();
}

const { bun } = await tools();
const { pluginBytes } = await npmPackage(await bundleCommandLine());
const plugin = inRepository("npm", "plugin.js");
const folder = Deno.makeTempDirSync({ prefix: "opencode-multi-auth-bench-" });
const simulator = await startSimulator();
const lines: Line[] = [{
  what: "plugin bundle",
  value: Math.round(pluginBytes / 102.4) / 10,
  unit: "KB",
  budget: 120,
}];
try {
  const env = {
    HOME: folder,
    OPENCODE_MULTI_AUTH_STORE_DIR: `${folder}/store`,
    OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
  };
  const store = await openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
  const [first] = await Promise.all(
    ["a", "b", "c"].map((name) => storePlan(store, simulator.addPlan({ name }))),
  );
  await store.close();

  const imports: number[] = [];
  for (let n = 0; n < IMPORTS; n++) {
    const source = `const t=performance.now();await import(${JSON.stringify(plugin)});` +
      "console.log(performance.now()-t)";
    imports.push(Number(await output(bun, ["-e", source], env)));
  }
  lines.push({
    what: "plugin import, fresh process, Bun",
    value: quantile(imports, 0.5),
    unit: "ms",
    budget: 12,
  });

  for (
    const [label, bytes, rounds, budget] of [
      ["5 KB", 5_000, 600, 0.15],
      ["200 KB", 200_000, 300, 0.4],
      ["1 MB", 1_000_000, 150, 0.4],
    ] as const
  ) {
    const report = await output(bun, [
      inRepository("scripts", "bench_requests.js"),
      plugin,
      simulator.backendUrl,
      first?.credentials.accessToken ?? "",
      first?.identity?.workspaceId ?? "",
      String(bytes),
      String(rounds),
    ], env);
    const times = JSON.parse(report) as Record<
      "bare" | "plugin",
      { first: number; total: number }[]
    >;
    const added = (part: "first" | "total", share: number) =>
      quantile(times.plugin.map((one) => one[part]), share) -
      quantile(times.bare.map((one) => one[part]), share);
    lines.push({
      what: `added per request, ${label} body, p50`,
      value: added("total", 0.5),
      unit: "ms",
      budget,
    });
    if (bytes > 5_000) continue;
    lines.push({
      what: "added to the first byte, 5 KB body, p99",
      value: added("first", 0.99),
      unit: "ms",
      budget: 2,
    });
  }
} finally {
  await simulator.close();
  Deno.removeSync(folder, { recursive: true });
}

const over = lines.filter(({ value, budget }) => !(value <= budget));
if (Deno.args.includes("--json")) {
  console.log(JSON.stringify({ lines, withinBudget: over.length === 0 }, null, 2));
} else {
  for (const { what, value, unit, budget } of lines) {
    const verdict = value <= budget ? "" : "  OVER";
    console.log(
      `${what.padEnd(40)} ${value.toFixed(3).padStart(9)} ${
        unit.padEnd(3)
      } budget ${budget}${verdict}`,
    );
  }
}
Deno.exit(over.length === 0 ? 0 : 1);
