import { basename, dirname, join } from "node:path";
import { configHome, set } from "../platform/paths.ts";
import { type Finding, type Look, warning, wrong } from "./check.ts";
import { upwards } from "./project.ts";
import type { Surroundings } from "./surroundings.ts";

/** The folders in a folder of configuration from which OpenCode loads every file. */
const NAMES = ["plugin", "plugins"];

/** A plugin's own word that it signs in to `openai`, as it stands in its source or in a bundle. */
const CLAIM = /\bprovider["']?\s*:\s*["'`]openai["'`]/;
const MENTION = /["'`]openai["'`]/;

/**
 * Other plugins for `openai` in OpenCode's plugin folders: no list names them, and they come after
 * those that a list names, so that theirs is the login that counts. They are known by their text.
 */
export function folderPlugins(surroundings: Surroundings): Look {
  const { env, home, folder } = surroundings;
  const own = set(env["OPENCODE_CONFIG_DIR"]);
  const everywhere = [
    join(configHome(env, home), "opencode"),
    join(home, ".opencode"),
    ...(own === undefined ? [] : [own]),
  ];
  const here = upwards(folder).map((place) => join(place, ".opencode"))
    .filter((place) => !everywhere.includes(place));
  return {
    findings: [
      ...everywhere.flatMap((place) => within(place, surroundings, wrong)),
      ...here.flatMap((place) => within(place, surroundings, warning)),
    ],
  };
}

function within(
  place: string,
  { files, disk }: Surroundings,
  bad: typeof wrong,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const path of NAMES.flatMap((name) => sources(join(place, name), files))) {
    const name = `plugin file ${basename(path)}`;
    const text = attempt(() => disk.read(path)?.text) ?? "";
    if (!/\bauth\b/.test(text) || !MENTION.test(text)) continue;
    const fix = `Move it out of that folder: ${dirname(path)}`;
    findings.push(
      CLAIM.test(text)
        ? bad(name, `${path} also claims "openai", and OpenCode asks it and not ours.`, fix)
        : warning(
          name,
          `${path} may claim "openai" as well; then OpenCode asks it, not ours.`,
          fix,
        ),
    );
  }
  return findings;
}

/** The files that OpenCode loads of a folder; none where there is no such folder. */
function sources(folder: string, { list }: Surroundings["files"]): readonly string[] {
  return (attempt(() => list(folder)) ?? []).filter((name) => /\.[jt]s$/.test(name)).sort()
    .map((name) => join(folder, name));
}

/** What cannot be read OpenCode cannot load either. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
