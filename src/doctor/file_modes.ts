import { basename, dirname, join } from "node:path";
import { type FileStat, statIfExists } from "../platform/files.ts";
import { type Finding, type Look, ok, wrong } from "./check.ts";
import type { Surroundings } from "./surroundings.ts";

const READ_ONLY = "read-only files";

/** The folder itself and everything in it that others may reach. */
export function fileModes(surroundings: Surroundings): Look {
  const name = "file modes";
  const { paths, files, uid } = surroundings;
  if (files.platform === "win32") {
    return { findings: [ok(name, "Windows keeps the folder to you by its place.")] };
  }
  const folder = statIfExists(paths.folder, files);
  if (folder === undefined) return { findings: [ok(name, "There is no store folder yet.")] };
  const stats = [paths.folder, ...listed(surroundings)].flatMap((path) => {
    const stat = attempt(() => files.stat(path));
    return stat === undefined ? [] : [{ path, stat }];
  });
  const pathsOf = (wanted: (stat: FileStat, path: string) => boolean) =>
    stats.filter(({ path, stat }) => wanted(stat, path)).map(({ path }) => path);
  const isForeign = ({ uid: owner }: FileStat) => uid !== undefined && owner !== uid;
  const foreign = pathsOf(isForeign);
  const open = pathsOf((stat) => !isForeign(stat) && (stat.mode & 0o077) !== 0);
  const mustWrite = [paths.folder, paths.accounts, paths.state];
  const closed = pathsOf((stat, path) =>
    !isForeign(stat) && mustWrite.includes(path) && (stat.mode & 0o200) === 0
  );
  const findings: Finding[] = [];
  if (foreign.length > 0) {
    const fix = uid === 0
      ? "Run it as that user, without sudo."
      : `Take them back: sudo chown -R "$(id -un)" "${paths.folder}"`;
    const verb = foreign.length === 1 ? "belongs" : "belong";
    findings.push(wrong("file owners", `${some(foreign)} ${verb} to another user.`, fix));
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
  if (closed.length > 0) {
    findings.push(
      wrong(
        READ_ONLY,
        `${some(closed)} cannot be written, so renewed tokens and figures would be lost.`,
        `Let it be written: chmod u+w ${closed.map((path) => `"${path}"`).join(" ")}`,
        `Let ${some(closed)} be written?`,
      ),
    );
  }
  if (findings.length === 0) {
    findings.push(ok(name, `Only you can read what lies in ${paths.folder}.`));
  }
  return {
    findings,
    mend(chosen) {
      const mends = (one: string) => chosen.some((finding) => finding.name === one);
      for (const path of mends(name) ? open : []) {
        files.chmod(path, files.stat(path).mode & 0o700);
      }
      for (const path of mends(READ_ONLY) ? closed : []) {
        files.chmod(path, files.stat(path).mode & 0o777 | 0o200);
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
