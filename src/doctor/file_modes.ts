import { basename, dirname, join } from "node:path";
import { type FileStat, statIfExists } from "../platform/files.ts";
import { type Finding, type Look, ok, wrong } from "./check.ts";
import type { Surroundings } from "./surroundings.ts";

/** The folder itself and everything in it that others may reach. */
export function fileModes(surroundings: Surroundings): Look {
  const name = "file modes";
  const { paths, files, uid } = surroundings;
  if (files.platform === "win32") {
    return { findings: [ok(name, "Windows keeps the folder to you by its place.")] };
  }
  const folder = statIfExists(paths.folder, files);
  if (folder === undefined) return { findings: [ok(name, "There is no store folder yet.")] };
  const all = [paths.folder, ...listed(surroundings)];
  const foreign: string[] = [];
  const open: string[] = [];
  for (const path of all) {
    const stat = attempt(() => files.stat(path));
    if (stat === undefined) continue;
    if (uid !== undefined && stat.uid !== uid) foreign.push(path);
    else if ((stat.mode & 0o077) !== 0) open.push(path);
  }
  const findings: Finding[] = [];
  if (foreign.length > 0) {
    findings.push(
      wrong(
        "file owners",
        `${some(foreign)} ${foreign.length === 1 ? "belongs" : "belong"} to another user.`,
        `Take them back: sudo chown -R "$(id -un)" "${paths.folder}"`,
      ),
    );
  }
  if (open.length > 0) {
    findings.push(
      wrong(
        name,
        `Other users may reach ${some(open)}.`,
        `Keep them to yourself: chmod -R go= "${paths.folder}"`,
        `Take the rights of other users from ${some(open)}?`,
      ),
    );
  }
  if (findings.length === 0) {
    findings.push(ok(name, `Only you can read what lies in ${paths.folder}.`));
  }
  return {
    findings,
    mend() {
      for (const path of open) {
        const stat: FileStat = files.stat(path);
        files.chmod(path, stat.mode & 0o700);
      }
      return {};
    },
  };
}

function listed({ paths, files }: Surroundings): readonly string[] {
  const found: string[] = [];
  for (const folder of new Set([paths.folder, dirname(paths.log)])) {
    // A log file elsewhere may lie in a folder that is everybody's.
    const ours = folder === paths.folder || dirname(folder) === paths.folder;
    for (const name of attempt(() => files.list(folder)) ?? []) {
      if (ours || name === basename(paths.log)) found.push(join(folder, name));
    }
  }
  return [...new Set(found)];
}

/** Paths in a sentence: the first three by name. */
export function some(paths: readonly string[]): string {
  const first = paths.slice(0, 3).join(", ");
  return paths.length <= 3 ? first : `${first} and ${paths.length - 3} more`;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
