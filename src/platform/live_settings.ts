import type { Clock } from "./clock.ts";
import { messageOf } from "./failure.ts";
import { statIfExists } from "./files.ts";
import type { Log } from "./log.ts";
import type { Environment, Paths } from "./paths.ts";
import { readSettings, type Settings, STANDARD_SETTINGS } from "./settings.ts";

/** How soon after a request a changed file is noticed, in milliseconds. */
const LOOK_MS = 1_000;

/** The settings in force, for a process that runs while somebody changes them. */
export interface LiveSettings {
  /** What is in force now; costs nothing. */
  readonly current: Settings;
  /** Says that there is traffic: within a second the file is looked at, off the request's path. */
  touch(): void;
}

/**
 * Reads the settings and keeps them in step with the file. A file that cannot
 * be read is logged, and what was in force stays; a value that cannot be is
 * logged, and costs that setting only.
 *
 * @param options.older What an older project has set; see {@linkcode readSettings}.
 */
export function liveSettings(options: {
  paths: Paths;
  env: Environment;
  clock: Clock;
  log: Log;
  older: Partial<Settings>;
}): LiveSettings {
  const { paths, env, clock, log, older } = options;
  let current = STANDARD_SETTINGS;
  let seen: string | undefined;
  let waiting = false;

  const complain = (error: unknown) => log.error(messageOf(error));
  const look = () => {
    try {
      const stat = statIfExists(paths.settings);
      const stamp = stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : "none";
      if (stamp === seen) return;
      seen = stamp;
      current = readSettings(paths, env, older, complain);
    } catch (error) {
      complain(error);
    }
  };
  look();

  return {
    get current() {
      return current;
    },
    touch() {
      if (waiting) return;
      waiting = true;
      clock.after(LOOK_MS, () => {
        waiting = false;
        look();
      }, { background: true });
    },
  };
}
