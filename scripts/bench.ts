/**
 * `deno task bench`: what the plugin costs, measured on this machine in the runtime that OpenCode
 * uses. Requests take turns with those of a bare `fetch` in the same process. Ends with 1 when a
 * figure is over its budget.
 *
 * - `--json` prints the figures for programs
 * - `--quick` measures a fifth, in half a minute
 * - `--margin 3` lets times be three times their budget, for busy machines; sizes stay
 *
 * @module
 */
import { parseArgs } from "node:util";
import { bringPeer, PEER, seedPeerCache } from "./bench/peer.ts";
import { measureDashboard } from "./bench/dashboard.ts";
import { measureDay, rememberSessions } from "./bench/growth.ts";
import { measureImports, measureOpening } from "./bench/imports.ts";
import { type Effort, type Figure, output, rounds } from "./bench/measure.ts";
import {
  added,
  addedByPairs,
  addedLine,
  measureRequests,
  type Report,
  type RequestTask,
  workerArguments,
} from "./bench/requests.ts";
import { setStage, type Stage } from "./bench/stage.ts";
import { measureStart } from "./bench/start.ts";
import { countFileCalls } from "./bench/system_calls.ts";
import { bundleCommandLine } from "./bundle.ts";
import { npmPackage } from "./npm.ts";
import { script } from "./program.ts";
import { inRepository } from "./repository.ts";
import { type Tools, tools } from "./tools.ts";

/**
 * Budgets of one request by the size of its body, in milliseconds. The small one is sent so often that
 * most of the requests meet compiled code; some hundred are not enough for that.
 */
const BODIES = [
  { label: "5 KB", bytes: 5_000, full: 2_000, budget: 0.15 },
  { label: "200 KB", bytes: 200_000, full: 300, budget: 0.4 },
  { label: "1 MB", bytes: 1_000_000, full: 200, budget: 0.4 },
] as const;

const small = (full: number, effort: Effort): RequestTask => ({
  bytes: 5_000,
  rounds: rounds(full, effort),
});

/** What a request costs on three accounts: by size, percentile, kind and number at once. */
async function requests(bun: string, stage: Stage, effort: Effort): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { label, bytes, full, budget } of BODIES) {
    const task = { bytes, rounds: rounds(full, effort) };
    const report = await measureRequests(bun, stage, task);
    figures.push(...addedLines(label, report, budget));
    if (bytes === 5_000) {
      figures.push(
        addedLine("added to the first byte, 5 KB, p50", added(report, 0.5, "first")),
        addedLine("added to the first byte, 5 KB, p99", added(report, 0.99, "first"), 2),
      );
    }
    const whole = await measureRequests(bun, stage, { ...task, stream: false });
    figures.push(...addedLines(`${label}, not streaming`, whole));
  }
  for (const [atOnce, full] of [[8, 60], [64, 20]] as const) {
    const report = await measureRequests(bun, stage, { ...small(full, effort), atOnce });
    figures.push(
      addedLine(`added per request, 5 KB, ${atOnce} at once, p50`, addedByPairs(report)),
    );
  }
  return figures;
}

/** What a request of one kind costs: most of them, and the slowest. */
function addedLines(label: string, report: Report, budget?: number): Figure[] {
  return [
    addedLine(`added per request, ${label}, p50`, addedByPairs(report), budget),
    addedLine(`added per request, ${label}, p95`, added(report, 0.95)),
    addedLine(`added per request, ${label}, p99`, added(report, 0.99)),
  ];
}

/** The same small request where there is more of everything. */
async function growth(bun: string, effort: Effort): Promise<Figure[]> {
  const figures: Figure[] = [];
  const measure = async (what: string, stage: Stage) => {
    const report = await measureRequests(bun, stage, small(2_000, effort));
    figures.push(addedLine(`added per request, 5 KB, ${what}, p50`, addedByPairs(report), 0.15));
  };
  for (const accounts of [20, 1_000]) {
    const stage = await setStage({ accounts });
    await measure(`${accounts} accounts`, stage);
    if (accounts === 20) {
      await rememberSessions(stage.env, 100_000);
      await measure("100,000 sessions seen", stage);
    }
    await stage.close();
  }
  const sealed = await setStage({ accounts: 3, passphrase: "correct horse battery staple" });
  await measure("sealed store", sealed);
  await sealed.close();
  const shared = await setStage({ accounts: 3 });
  // Another OpenCode that is just as busy.
  const other = new Deno.Command(bun, {
    args: workerArguments(shared, { bytes: 5_000, rounds: 1_000_000, only: "plugin" }),
    env: shared.env,
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const busy = await measureRequests(bun, shared, small(1_000, effort));
  figures.push(addedLine("added per request, 5 KB, another process busy, p50", addedByPairs(busy)));
  other.kill("SIGKILL");
  await other.status;
  await shared.close();
  return figures;
}

/** Memory of a process that has served ten thousand requests, beyond one that has served a tenth. */
async function memory(bun: string, stage: Stage, effort: Effort): Promise<Figure> {
  const waves = rounds(1_250, effort);
  const every = Math.max(Math.floor(waves / 10), 1);
  const report = await output(
    bun,
    workerArguments(stage, {
      bytes: 5_000,
      rounds: waves,
      atOnce: 8,
      only: "plugin",
      memoryEvery: every,
    }),
    stage.env,
  );
  const { memory } = JSON.parse(report) as { memory: number[] };
  const grown = ((memory.at(-1) ?? 0) - (memory[0] ?? 0)) / 1_048_576;
  return {
    what: `memory after ${waves * 8} requests beyond ${every * 8}`,
    value: Math.round(grown * 10) / 10,
    unit: "MB",
    budget: 20,
  };
}

/** The plugin that most people have used, on the same requests. */
async function peer(bun: string, stage: Stage, effort: Effort): Promise<Figure[]> {
  const file = await bringPeer();
  seedPeerCache(stage.folder);
  const figures: Figure[] = [];
  for (const { label, bytes, full } of BODIES) {
    const task = { bytes, rounds: rounds(full, effort), peer: file };
    const report = await measureRequests(bun, stage, task);
    figures.push(
      addedLine(`${PEER}: added per request, ${label}, p50`, added(report, 0.5, "total", "peer")),
    );
  }
  return figures;
}

async function measure(effort: Effort): Promise<Figure[]> {
  const programs: Tools = await tools();
  const { bun, node } = programs;
  const cli = await bundleCommandLine();
  const { pluginBytes, clientBytes } = await npmPackage();
  const kilobytes = (bytes: number) => ({ value: round(bytes / 1024), unit: "KB" });
  const figures: Figure[] = [
    { what: "plugin bundle", ...kilobytes(pluginBytes), budget: 16 },
    { what: "client bundle, which serves its requests", ...kilobytes(clientBytes), budget: 120 },
  ];
  const stage = await setStage({ accounts: 3 });
  try {
    const deno = { ...stage.env, DENO_NO_UPDATE_CHECK: "1" };
    figures.push(
      ...await measureImports(
        inRepository("npm", "plugin.js"),
        [
          { name: "Bun", program: bun, evaluate: ["-e"] },
          { name: "Node", program: node, evaluate: ["--input-type=module", "-e"] },
          { name: "Deno", program: Deno.execPath(), evaluate: ["eval", "--no-lock"] },
        ],
        deno,
        effort,
        12,
      ),
      await measureOpening(inRepository("npm", "plugin.js"), bun, stage.env, effort),
      ...await requests(bun, stage, effort),
      ...await growth(bun, effort),
      ...await peer(bun, stage, effort),
      ...await countFileCalls(bun, stage),
      await memory(bun, stage, effort),
      ...await measureStart(
        [
          { name: "npm package", file: inRepository("npm", "cli.js"), bound: true },
          { name: "single file", file: cli, bound: false },
        ],
        [
          { name: "Node", program: node, run: [] },
          { name: "Bun", program: bun, run: [] },
          {
            name: "Deno",
            program: Deno.execPath(),
            run: ["run", "-A", "--no-lock", "--no-config"],
          },
        ],
        deno,
        stage.folder,
        effort,
      ),
      ...await measureDashboard(node, effort),
      await measureDay(stage.folder, effort),
    );
  } finally {
    await stage.close();
  }
  return figures;
}

const round = (value: number) => Math.round(value * 1_000) / 1_000;

if (import.meta.main) {
  await script(async () => {
    const { values: options } = parseArgs({
      args: Deno.args,
      options: {
        json: { type: "boolean" },
        quick: { type: "boolean" },
        margin: { type: "string", default: "1" },
      },
    });
    const margin = Number(options.margin);
    if (!(margin >= 1)) throw new Error("--margin takes a number from 1 on.");
    const figures = await measure({ share: options.quick ? 0.2 : 1 });
    const limit = ({ budget, noisy }: Figure) =>
      budget === undefined ? undefined : noisy ? budget * margin : budget;
    const over = figures.filter((figure) => !(figure.value <= (limit(figure) ?? Infinity)));
    if (options.json) {
      const lines = figures.map((figure) => ({ ...figure, value: round(figure.value) }));
      console.log(JSON.stringify({ figures: lines, margin, over: over.length }, null, 2));
    } else {
      for (const figure of figures) console.log(row(figure, limit(figure), over.includes(figure)));
    }
    if (over.length > 0) {
      throw new Error(`over budget: ${over.map(({ what }) => what).join("; ")}`);
    }
  });
}

function row({ what, value, unit }: Figure, limit: number | undefined, over: boolean): string {
  const digits = unit === "ms" ? 3 : 1;
  const budget = limit === undefined ? "" : `at most ${round(limit)}${over ? "  OVER" : ""}`;
  return `${what.padEnd(68)} ${value.toFixed(digits).padStart(9)} ${unit.padEnd(3)} ${budget}`
    .trimEnd();
}
