import type { Clock } from "../platform/clock.ts";
import type { FileSystem } from "../platform/files.ts";
import type { Environment, Paths } from "../platform/paths.ts";
import type { Disk } from "../opencode/disk.ts";
import type { RunProgram } from "./program.ts";

/** What every check may look at. */
export interface Surroundings {
  readonly env: Environment;
  /** The person's home folder. */
  readonly home: string;
  readonly paths: Paths;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly fetch: typeof fetch;
  readonly files: FileSystem;
  readonly disk: Disk;
  /** The person's user id, where there are any. */
  readonly uid: number | undefined;
  /** The folder that relative paths count from. */
  readonly folder: string;
  /** The plugin entry that `install` would write. */
  readonly spec: string;
  readonly run: RunProgram;
  /** Where throw-away folders are made. */
  readonly temporary: string;
  /** Bytes that may still be written where a path lies (default: as the system says). */
  readonly freeBytes?: (path: string) => number;
}
