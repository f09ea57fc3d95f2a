import { dirname } from "node:path";
import { errorCode, Failure, messageOf } from "./failure.ts";
import { writeFileAtomic, type WriteOptions } from "./files.ts";

/**
 * Replaces a file's content as `writeFileAtomic` does.
 *
 * @throws {Failure} when the system does not let us; the old file is whole then.
 */
export function saveFile(path: string, text: string, options: WriteOptions = {}): void {
  try {
    writeFileAtomic(path, text, options);
  } catch (error) {
    throw error instanceof Failure ? error : unwritable(path, error);
  }
}

/** What helps where nothing can be written, whoever asks. */
export const READ_ONLY_FIX =
  "Its file system is mounted read-only: mount it writable again, or keep the store elsewhere with OPENCODE_MULTI_AUTH_STORE_DIR.";

/** The system does not let us write a file. */
export function unwritable(path: string, error: unknown): Failure {
  const code = errorCode(error) ?? messageOf(error);
  const fix = code === "ENOSPC" || code === "EDQUOT"
    ? "Free some space and try again; the old file is whole."
    : code === "EROFS"
    ? READ_ONLY_FIX
    : code === "EACCES" || code === "EPERM"
    ? `Make its folder writable: chmod 700 "${dirname(path)}"`
    : "Check the disk and the folder; the old file is whole.";
  return Object.assign(new Failure(`${path} cannot be written (${code}).`, fix), { cause: error });
}
