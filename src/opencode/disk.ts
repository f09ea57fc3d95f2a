import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { errorCode, Failure } from "../platform/failure.ts";
import { writeFileAtomic } from "../platform/files.ts";

/** A file's text and permission bits. */
export interface FileText {
  readonly text: string;
  /** The lowest nine bits, such as 0o644. */
  readonly mode: number;
}

/** What setting OpenCode up needs of the file system. Paths are absolute. */
export interface Disk {
  /**
   * Reads a file, its byte order mark included.
   *
   * @returns undefined when there is none.
   * @throws {Failure} when it is there and cannot be read as UTF-8 text.
   */
  read(path: string): FileText | undefined;
  /** Replaces a file as a whole; a symbolic link stays one. Folders are made. */
  write(path: string, text: string, mode: number): void;
  /** Whether something is there. */
  exists(path: string): boolean;
  /** Where a path leads when links are followed; the path itself when it leads nowhere. */
  follow(path: string): string;
  /** The names of a folder's folders, without links; none when there is no such folder. */
  folders(path: string): readonly string[];
  /** Removes a file or a whole folder; nothing there is fine. */
  remove(path: string): void;
}

/** This machine's file system. */
export const systemDisk: Disk = {
  read(path) {
    try {
      const bytes = readFileSync(path);
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      return { text, mode: statSync(path).mode & 0o777 };
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOENT") return undefined;
      if (code === "EISDIR") throw new Failure(`${path} is a folder.`, "Move it away.");
      if (code === "EACCES" || code === "EPERM") {
        throw new Failure(`${path} may not be read.`, "Give yourself the right to read it.");
      }
      if (code === "ENOTDIR" || code === "ELOOP") {
        throw new Failure(`${path} cannot be reached (${code}).`, "Mend that path.");
      }
      if (error instanceof TypeError) {
        throw new Failure(`${path} is not UTF-8 text.`, "Save it as UTF-8.");
      }
      throw error;
    }
  },
  write: (path, text, mode) => writeFileAtomic(path, text, { mode }),
  exists: existsSync,
  follow(path) {
    try {
      return realpathSync(path);
    } catch {
      return path;
    }
  },
  folders(path) {
    try {
      return readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name);
    } catch {
      return [];
    }
  },
  remove: (path) => rmSync(path, { recursive: true, force: true }),
};
