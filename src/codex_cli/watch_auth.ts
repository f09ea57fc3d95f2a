import { basename, dirname } from "node:path";
import type { Clock } from "../platform/clock.ts";
import { type FileSystem, followLink } from "../platform/files.ts";
import { builtin } from "../platform/runtime.ts";

/** Tells of changes in a folder, by the names of what changed (null where the system does not say). Throws where it cannot be watched. */
export type WatchFolder = (
  folder: string,
  onEvent: (name: string | null) => void,
  onEnd: () => void,
) => () => void;

/** What is watched, and by what means. */
export interface WatchOptions {
  /** As the Codex CLI spells it. */
  readonly path: string;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly watchFolder: WatchFolder;
  /** What is there at the start, one change, or several in quick succession. The next one waits until it is through. */
  readonly onChange: () => Promise<void>;
}

/** After the last of several events, in milliseconds: one save is a handful of them. */
const QUIET_MS = 250;
/** File systems that tell of nothing are looked at this often, in milliseconds. */
const POLL_MS = 5_000;

/** Watches folders with the runtime's own means. */
export const watchFolder: WatchFolder = (folder, onEvent, onEnd) => {
  const watcher = builtin("node:fs").watch(
    folder,
    { persistent: false },
    (_kind, name) => onEvent(name === null ? null : String(name)),
  );
  watcher.on("error", () => {
    watcher.close();
    onEnd();
  });
  return () => watcher.close();
};

/**
 * Watches an `auth.json`, which may be replaced, deleted, restored, or a symlink to somewhere else:
 * its folders are watched, and a slow poll sees what no event tells. One that is there is the first change.
 *
 * @returns Ends it.
 */
export function watchAuth(options: WatchOptions): () => void {
  const { path, files, clock, onChange } = options;
  const watched = new Map<string, () => void>();
  let seen = ABSENT;
  let busy = false;
  let ended = false;
  let cancelQuiet = () => {};
  let cancelPoll = () => {};

  const look = async () => {
    if (ended || busy) return;
    const now = stampOf(path, files);
    if (now === seen) return;
    seen = now;
    busy = true;
    try {
      await onChange();
    } finally {
      busy = false;
    }
    // What we write ourselves is seen here too, and finds nothing to do.
    await look();
  };
  const soon = () => {
    cancelQuiet();
    if (!ended) cancelQuiet = clock.after(QUIET_MS, () => void look(), { background: true });
  };

  /** Where the file lies can change with every change of it. */
  const follow = () => {
    const places = new Map<string, Set<string>>();
    for (const file of [path, realOf(path, files)]) {
      const names = places.get(dirname(file)) ?? new Set();
      places.set(dirname(file), names.add(basename(file)));
    }
    for (const [folder, stop] of watched) {
      if (places.has(folder)) continue;
      stop();
      watched.delete(folder);
    }
    for (const [folder, names] of places) {
      if (watched.has(folder)) continue;
      try {
        const stop = options.watchFolder(
          folder,
          (name) => (name === null || names.has(name)) && soon(),
          () => watched.delete(folder),
        );
        watched.set(folder, stop);
      } catch {
        // Not there yet, or of a kind that cannot be watched: the poll looks, and tries again.
      }
    }
  };
  const poll = () => {
    follow();
    void look();
    cancelPoll = clock.after(POLL_MS, poll, { background: true });
  };
  follow();
  void look();
  cancelPoll = clock.after(POLL_MS, poll, { background: true });
  return () => {
    ended = true;
    cancelQuiet();
    cancelPoll();
    for (const stop of watched.values()) stop();
    watched.clear();
  };
}

function realOf(path: string, files: FileSystem): string {
  try {
    return followLink(path, files);
  } catch {
    return path;
  }
}

/** The stamp of no file. */
const ABSENT = "";

/** Changes whenever the file is replaced, rewritten, deleted, or another one takes its place. */
function stampOf(path: string, files: FileSystem): string {
  try {
    const { ino, size, mtimeMs } = files.stat(path);
    return `${realOf(path, files)} ${ino} ${size} ${mtimeMs}`;
  } catch {
    return ABSENT;
  }
}
