import { type FileSystem, systemFiles } from "../../src/platform/files.ts";

/** Calls that need space on the disk. */
const WRITING: readonly string[] = ["open", "write", "fsync", "rename", "mkdir"];

/** A file system whose calls fail when a test says so, and that remembers what was called. */
export interface FaultyFiles {
  readonly files: FileSystem;
  /** Names of the calls so far. */
  readonly calls: string[];
  /** Decides for each call: an error code makes it fail. */
  fail: (call: string, path: string | undefined, number: number) => string | undefined;
}

/** Wraps the machine's files. */
export function faultyFiles(platform: string = systemFiles.platform): FaultyFiles {
  const faulty: FaultyFiles = {
    calls: [],
    fail: () => undefined,
    files: new Proxy({ ...systemFiles, platform }, {
      get(target, name: keyof FileSystem) {
        const value = target[name];
        if (typeof value !== "function") return value;
        return (...values: unknown[]) => {
          faulty.calls.push(name);
          const path = values.find((value) => typeof value === "string");
          const code = faulty.fail(name, path, faulty.calls.length);
          if (code !== undefined) throw Object.assign(new Error(`${code}: made up`), { code });
          return (value as (...values: unknown[]) => unknown)(...values);
        };
      },
    }),
  };
  return faulty;
}

/** Fails the n-th of the calls that need space (from 1), and all after it while `stays`. */
export function failNth(n: number, code: string, stays = false): FaultyFiles["fail"] {
  let count = 0;
  return (call) => {
    if (!WRITING.includes(call)) return undefined;
    count++;
    return count === n || (stays && count > n) ? code : undefined;
  };
}
