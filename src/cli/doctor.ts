import type { Finding } from "../doctor/check.ts";
import type { Examination, Result } from "../doctor/examination.ts";
import type { Means } from "../doctor/checks.ts";
import type { Surroundings } from "../doctor/surroundings.ts";
import { Failure } from "../platform/failure.ts";
import { PROGRAM } from "../platform/version.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { JSON_ABOUT, narrate, type OutputOptions, report } from "./output.ts";

interface DoctorOptions extends OutputOptions {
  readonly fix?: true | undefined;
  readonly yes?: true | undefined;
}

/** `doctor`: what is wrong, why, and what mends it. */
export function registerDoctor(program: CommandLine, context: Context): void {
  const command = program.command("doctor")
    .summary("Find what is wrong and mend it (--fix, --json)")
    .description(
      "Looks at the store, the accounts, OpenCode and its plugins, the Codex CLI, ports,\n" +
        "the network and the clock, and starts OpenCode once, in a throw-away home, to see\n" +
        "that it loads the plugin. Changes nothing and sends no token unless --fix is\n" +
        "given. Ends with 1 when something is wrong; warnings alone end with 0.",
    )
    .option("--fix", "mend what can be mended; keeps copies of the files it changes")
    .option("-y, --yes", "with --fix: do not ask")
    .option("--json", JSON_ABOUT)
    .action((options) => doctor(context, options));
  addExamples(
    command,
    `${PROGRAM} doctor`,
    `${PROGRAM} doctor --fix`,
    `${PROGRAM} doctor --fix --yes`,
    `${PROGRAM} doctor --json`,
  );
}

async function doctor(context: Context, options: DoctorOptions): Promise<void> {
  if (options.yes && !options.fix) {
    throw new Failure("--yes answers the questions of --fix.", "Give both, or none.", 2);
  }
  const look = await examiner(context);
  const { doctorText, summaryText } = await import("./doctor_text.ts");
  if (context.terminal.output && !options.json) {
    context.warn("Looking, and starting OpenCode once; this takes some seconds.\n");
  }
  const before = await look();
  const after = options.fix
    ? await mend(context, options, before, look, doctorText(before.results, context))
    : { results: before.results, backups: [], failures: [] };
  const { results, backups, failures } = after;
  const healthy = !results.some(({ state }) => state === "wrong");
  const mendable = !options.fix && before.results.some((result) => result.mend !== undefined);
  report(
    context,
    options,
    {
      ok: healthy,
      checks: results.map(({ mend: _question, ...result }) => result),
      ...(options.fix ? { backups, failures } : {}),
    },
    `\n${doctorText(results, context)}\n` +
      failures.map((text) => `Not mended: ${text}\n`).join("") +
      backups.map((path) => `Copy of what was there: ${path}\n`).join("") +
      (results.some(({ group, fixed }) => fixed && group === OPENCODE)
        ? "Restart OpenCode if it is running.\n"
        : "") +
      // Where something is wrong, this is the error's line.
      (healthy ? `${summaryText(results)}${mendable ? ` ${FIX}` : ""}\n` : ""),
  );
  if (healthy) return;
  throw new Failure(summaryText(results), mendable ? FIX : "Each fix stands above.");
}

/** The heading of what a running OpenCode notices only when it starts anew. */
const OPENCODE = "OpenCode";
const FIX = `To mend what can be mended: ${PROGRAM} doctor --fix`;

interface After {
  readonly results: readonly Result[];
  readonly backups: readonly string[];
  readonly failures: readonly string[];
}

/** Asks, mends, and looks again: only a second look shows that it helped. */
async function mend(
  context: Context,
  options: DoctorOptions,
  before: Examination,
  look: () => Promise<Examination>,
  text: string,
): Promise<After> {
  const mendable = before.looks.flatMap(({ look: { findings } }) => findings)
    .filter((finding) => finding.mend !== undefined);
  if (mendable.length === 0) return { results: before.results, backups: [], failures: [] };
  const chosen = await consent(context, options, mendable, text);
  if (chosen.size === 0) return { results: before.results, backups: [], failures: [] };
  const { afterMending, mendFindings } = await import("../doctor/examination.ts");
  const mending = await mendFindings(before, (finding) => chosen.has(finding));
  const after = await look();
  return { ...mending, results: afterMending(before.looks, after.results, chosen) };
}

/** The findings that may be mended: all with `--yes`, else those the person says yes to. */
async function consent(
  context: Context,
  options: DoctorOptions,
  mendable: readonly Finding[],
  text: string,
): Promise<ReadonlySet<Finding>> {
  if (options.yes) return new Set(mendable);
  const { input, output } = context.terminal;
  if (!input || !output) {
    throw new Failure(
      `Nobody can be asked here: "${mendable[0]?.mend}" Nothing was changed.`,
      "Run it on a terminal, or mend everything with --fix --yes.",
    );
  }
  narrate(context, options, `\n${text}\n`);
  const prompts = await context.prompts();
  const chosen = new Set<Finding>();
  // Every question comes before the first change.
  for (const finding of mendable) {
    if (await prompts.confirm(finding.mend ?? "", true)) chosen.add(finding);
  }
  return chosen;
}

/** Everything that the checks look at and use, wired up in this one place. */
async function examiner(context: Context): Promise<() => Promise<Examination>> {
  const { env, clock, random, fetch, folder } = context;
  const { homeFolder, resolvePaths } = await import("../platform/paths.ts");
  const { systemFiles } = await import("../platform/files.ts");
  const { runtime } = await import("../platform/runtime.ts");
  const { systemDisk } = await import("../opencode/disk.ts");
  const { choosePluginSpec } = await import("../opencode/plugin_spec.ts");
  const { systemPrograms } = await import("../doctor/program.ts");
  const { renewTokens } = await import("../doctor/renew.ts");
  const { examineAll } = await import("../doctor/checks.ts");
  const { tmpdir } = await import("node:os");
  const surroundings: Surroundings = {
    env,
    home: homeFolder(env),
    paths: resolvePaths(env),
    clock,
    random,
    fetch,
    files: systemFiles,
    disk: systemDisk,
    // Asked for only by whom it concerns: under Deno it takes a permission.
    get uid() {
      return runtime.getuid?.();
    },
    folder,
    spec: choosePluginSpec({ program: context.programFile, folder, disk: systemDisk }),
    run: systemPrograms(clock),
    temporary: tmpdir(),
  };
  const means: Means = {
    storeLogin: async (login) => {
      const { adopt } = await import("./carry_out.ts");
      await adopt(context, login, undefined);
    },
    renew: renewTokens(surroundings),
    async findManager() {
      const { findManager } = await import("../service/find_manager.ts");
      const { machineOf } = await import("./machine.ts");
      return findManager({ env, ...await machineOf(context) });
    },
    loginPorts: context.callbackPorts,
  };
  return () => examineAll(surroundings, means);
}
