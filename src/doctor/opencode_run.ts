/**
 * A real run of OpenCode that proves that it loads the plugin. It happens in a throw-away home that
 * mirrors the person's configuration, so that neither OpenCode nor the plugin changes anything: OpenCode
 * writes databases and folders at every start, and the plugin a log.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { messageOf } from "../platform/failure.ts";
import { formatDuration } from "../platform/duration.ts";
import { readTextIfExists } from "../platform/files.ts";
import { redact } from "../platform/redaction.ts";
import { PACKAGE, PROGRAM, VERSION } from "../platform/version.ts";
import { type Check, type Finding, type Look, ok, warning, wrong } from "./check.ts";
import { findOpenCode } from "./find_opencode.ts";
import { OPENCODE } from "./opencode.ts";
import { isOlder, type ProgramEnd, versionIn } from "./program.ts";
import { makeScratchHome, type ScratchHome } from "./scratch_home.ts";
import type { Surroundings } from "./surroundings.ts";

/** The oldest OpenCode that this was tried with. */
const TRIED = "1.18.0";
/** How long `--version` may take, in milliseconds: the binary is large, and a disk may be cold. */
const VERSION_MS = 20_000;
/** How long the run may take, in milliseconds: two seconds on a machine at rest. */
const RUN_MS = 60_000;
const INSTALL = "Install it as https://opencode.ai/docs says, or add its folder to PATH.";

/** OpenCode itself: whether it is there, its version, and whether it loads the plugin. */
export function openCodeRunCheck(surroundings: Surroundings): Check {
  return {
    group: OPENCODE,
    name: "program",
    limitMs: VERSION_MS + RUN_MS + 5_000,
    look: (signal) => look(surroundings, signal),
  };
}

async function look(surroundings: Surroundings, signal: AbortSignal): Promise<Look> {
  const { run } = surroundings;
  const program = findOpenCode(surroundings);
  if (program === undefined) {
    return { findings: [wrong("program", "There is no opencode in PATH.", INSTALL)] };
  }
  // Even to say its version OpenCode makes folders.
  const scratch = makeScratchHome(surroundings);
  try {
    const [said, proved] = await Promise.all([
      run(program, ["--version"], {
        env: scratch.env,
        folder: scratch.project,
        limitMs: VERSION_MS,
        signal,
      }),
      proof(surroundings, program, scratch, signal),
    ]);
    const version = said.code === 0 ? versionIn(said.stdout) : undefined;
    return { findings: [about(program, version, said), proved] };
  } finally {
    scratch.remove();
  }
}

function about(program: string, version: string | undefined, said: ProgramEnd): Finding {
  if (version === undefined) {
    const fix = `Run it by hand. ${INSTALL}`;
    return wrong("program", `${program} --version fails (${endOf(said)}).`, fix);
  }
  if (!isOlder(version, TRIED)) return ok("program", `OpenCode ${version}, ${program}`);
  const text = `OpenCode ${version} is older than what this was made for (${TRIED}).`;
  return warning("program", text, "Update it: opencode upgrade");
}

/** Runs `opencode debug config`, which loads every plugin and ends, and looks for our line in a log of its own. */
async function proof(
  surroundings: Surroundings,
  program: string,
  scratch: ScratchHome,
  signal: AbortSignal,
): Promise<Finding> {
  const name = "plugin loads";
  const { run, clock } = surroundings;
  const start = clock.now();
  const end = await run(program, ["debug", "config"], {
    env: scratch.env,
    folder: scratch.project,
    limitMs: RUN_MS,
    signal,
  });
  const loaded = loadedIn(readTextIfExists(scratch.log) ?? "");
  if (loaded !== undefined) {
    const text = `OpenCode loads the plugin, version ${loaded.version} ` +
      `(process ${loaded.pid}, ${formatDuration(Math.max(0, clock.now() - start))}).`;
    if (loaded.version === VERSION) return ok(name, text);
    const fix = `Let them be of one version: ${PROGRAM} install`;
    return warning(name, `${text} This program is ${VERSION}.`, fix);
  }
  const fix = `Mend what stands wrong above, or write the entry anew: ${PROGRAM} install`;
  if (end.code !== 0) return wrong(name, `opencode debug config fails (${endOf(end)}).`, fix);
  return notLoaded(name, surroundings, scratch, fix);
}

function notLoaded(
  name: string,
  surroundings: Surroundings,
  scratch: ScratchHome,
  fix: string,
): Finding {
  const complaint = complaintIn(scratch.openCodeLog());
  if (complaint !== undefined) return wrong(name, `OpenCode does not load it: ${complaint}`, fix);
  if (!scratch.fetches) {
    const text = "OpenCode runs and does not load the plugin; it says nothing about why.";
    return wrong(name, text, fix);
  }
  // The run has no network, so what OpenCode would fetch first cannot be proved by it.
  const last = loadedIn(readTextIfExists(surroundings.paths.log) ?? "");
  const fetched =
    "OpenCode fetches the plugin from the network at its next start, which this run " +
    "does not do.";
  const evidence = last === undefined
    ? "It has not loaded it yet."
    : `It loaded version ${last.version} at ${last.at}.`;
  return warning(name, `${fetched} ${evidence}`, "Start opencode once, then run doctor again.");
}

/** The last start of the plugin in a log. */
function loadedIn(log: string): { at: string; version: string; pid: string } | undefined {
  const lines = log.split("\n").filter((line) => line.includes(`${PACKAGE} `));
  for (const line of lines.toReversed()) {
    const match = /^(\S+) \[info\] \S+ (\S+) loaded by OpenCode, pid (\d+)/.exec(line);
    if (match !== null) return { at: match[1] ?? "", version: match[2] ?? "", pid: match[3] ?? "" };
  }
  return undefined;
}

/** What OpenCode's own log says against a plugin; the trouble that people meet first. */
function complaintIn(log: string): string | undefined {
  const lines = log.split("\n").filter((line) =>
    /level=(?:ERROR|WARN)/.test(line) && /plugin|BunInstallFailed|DependencyLoop/i.test(line) &&
    !/background dependency install/.test(line)
  );
  const line = lines.find((one) => one.includes(PACKAGE)) ?? lines[0];
  return line === undefined ? undefined : shortened(line.replace(/^timestamp=\S+ /, ""));
}

function endOf(end: ProgramEnd): string {
  const said = end.stderr.split("\n").map((line) => line.trim()).find((line) => line !== "");
  const how = end.why ?? `code ${end.code}`;
  return said === undefined ? how : `${how}: ${shortened(said)}`;
}

function shortened(text: string): string {
  const clean = stripVTControlCharacters(redact(messageOf(text)));
  return clean.length > 200 ? `${clean.slice(0, 199)}…` : clean;
}
