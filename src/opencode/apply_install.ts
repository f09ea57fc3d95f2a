import type { Clock } from "../platform/clock.ts";
import { errorCode, Failure, messageOf } from "../platform/failure.ts";
import type { Newcomer } from "../store/admission.ts";
import { type AuthFile, entryAlone, withEntry, withoutEntry } from "./auth_file.ts";
import { type ConfigFile, editPlugins, type PluginEdit } from "./config_file.ts";
import { type Disk, systemDisk } from "./disk.ts";
import { type Change, changeOf, type InstallPlan, type Step } from "./install_step.ts";

/** How a plan is applied. */
export interface ApplyOptions {
  /** Names the backups. */
  readonly clock: Clock;
  /**
   * Answers the question of a step that has one (default: its standard answer). Every question is
   * asked before the first change.
   */
  readonly accept?: (step: Step) => boolean | Promise<boolean>;
  /**
   * Stores OpenCode's ChatGPT login as an account. It resolves once the tokens are on disk; only
   * then they are taken out of OpenCode's file. Without it a login is left where it is.
   */
  readonly storeLogin?: (login: Newcomer) => Promise<void>;
  /** The file system (default: this machine's). */
  readonly disk?: Disk;
}

/** What was done. */
export interface Applied {
  readonly done: readonly Step[];
  /** Steps that the person did not want. */
  readonly skipped: readonly Step[];
  /** Copies of files as they were, 0600. */
  readonly backups: readonly string[];
  /** What went wrong without harm, one sentence each. */
  readonly notices: readonly string[];
}

/**
 * Does what a plan says. When a file cannot be written, those written before are put back.
 *
 * @throws {Failure} when a file has changed since the plan was made, or cannot be written.
 */
export async function applyInstall(plan: InstallPlan, options: ApplyOptions): Promise<Applied> {
  const { disk = systemDisk, storeLogin } = options;
  const accept = options.accept ?? ((step) => step.question?.standard ?? true);
  const done: Step[] = [];
  const skipped: Step[] = [];
  for (const step of plan.steps) {
    const possible = step.action !== "adopt login" || storeLogin !== undefined;
    const wanted = possible && (step.question === undefined || await accept(step));
    (wanted ? done : skipped).push(step);
  }
  const chosen = done.map(changeOf);
  const work = { disk, clock: options.clock, backups: [] as string[], undo: [] as (() => void)[] };
  try {
    writeConfigs(chosen, work);
    await writeEntry(chosen, work, storeLogin);
  } catch (error) {
    for (const step of work.undo.toReversed()) attempt(step);
    throw error;
  }
  return { done, skipped, backups: work.backups, notices: clearCache(chosen, disk) };
}

/** {@linkcode applyInstall} for a plan of `planUninstall`. */
export const applyUninstall = applyInstall;

interface Work {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly backups: string[];
  /** What puts back the changes so far. */
  readonly undo: (() => void)[];
}

function writeConfigs(chosen: readonly Change[], work: Work): void {
  const files = new Map<ConfigFile, PluginEdit[]>();
  for (const change of chosen) {
    if (change.type !== "plugin") continue;
    files.set(change.file, [...files.get(change.file) ?? [], change.edit]);
  }
  // All new texts before the first write: what cannot be edited stops everything.
  const texts = [...files].map(([file, edits]) => {
    unchanged(file, work.disk);
    return { file, text: editPlugins(file.path, file.text, edits) };
  });
  for (const { file, text } of texts) {
    const { path, mode } = file;
    if (file.text !== undefined) keep(path, file.text, work);
    work.undo.push(() => restore(file, mode, work.disk));
    write(path, text, mode, work.disk);
  }
}

async function writeEntry(
  chosen: readonly Change[],
  work: Work,
  storeLogin: ApplyOptions["storeLogin"],
): Promise<void> {
  for (const change of chosen) {
    if (change.type === "plugin" || change.type === "cache") continue;
    const { file } = change;
    const { path, text, openai } = file;
    unchanged(file, work.disk);
    if (change.type === "remove") {
      write(path, withoutEntry(path, text ?? ""), 0o600, work.disk);
    } else if (openai.kind === "login") {
      if (storeLogin === undefined) continue;
      // Once the tokens are ours, OpenCode's copy has to go: prove first that it can.
      write(path, text ?? "", 0o600, work.disk);
      await storeLogin(openai.login);
      // From here on a loaded plugin does what is left; without it two would refresh one token.
      work.undo.length = 0;
      unchanged(file, work.disk);
      write(path, withEntry(path, text), 0o600, work.disk);
    } else {
      // The entry alone: nobody needs one more copy of the other providers' tokens.
      if (openai.kind !== "none") keep(path, entryAlone(path, text ?? ""), work);
      write(path, withEntry(path, text), 0o600, work.disk);
    }
  }
}

function clearCache(chosen: readonly Change[], disk: Disk): readonly string[] {
  return chosen.flatMap((change) => {
    if (change.type !== "cache") return [];
    try {
      disk.remove(change.folder);
      return [];
    } catch (error) {
      return [`${change.folder} could not be removed (${reason(error)}); remove it by hand.`];
    }
  });
}

function unchanged(file: ConfigFile | AuthFile, disk: Disk): void {
  if (disk.read(file.path)?.text === file.text) return;
  throw new Failure(`${file.path} was changed by another program meanwhile.`, "Run this again.");
}

/** Keeps a copy beside the file, 0600: configurations may hold keys. */
function keep(path: string, text: string, work: Work): void {
  const stamp = new Date(work.clock.now()).toISOString().replace(/[-:]|\.\d+/g, "");
  let backup = `${path}.bak-${stamp}`;
  for (let number = 2; work.disk.exists(backup); number++) {
    backup = `${path}.bak-${stamp}-${number}`;
  }
  work.undo.push(() => work.disk.remove(backup));
  write(backup, text, 0o600, work.disk);
  work.backups.push(backup);
}

function restore(file: ConfigFile, mode: number, disk: Disk): void {
  if (file.text === undefined) disk.remove(file.path);
  else if (disk.read(file.path)?.text !== file.text) disk.write(file.path, file.text, mode);
}

function write(path: string, text: string, mode: number, disk: Disk): void {
  try {
    disk.write(path, text, mode);
  } catch (error) {
    throw new Failure(
      `${path} could not be written (${reason(error)}).`,
      "Make its folder writable, or change it where it is made, and run this again.",
    );
  }
}

function reason(error: unknown): string {
  return errorCode(error) ?? messageOf(error);
}

function attempt(step: () => void): void {
  try {
    step();
  } catch {
    // The first failure is the one to tell; what can be put back is put back.
  }
}
