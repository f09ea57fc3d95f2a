import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode, Failure } from "../platform/failure.ts";
import { READ_ONLY_FIX } from "../platform/save_file.ts";
import { isReadOnlyMount } from "../platform/files.ts";
import { freeBytes, ROOM_BYTES } from "../platform/free_space.ts";

/**
 * Proves before a login that its tokens can be kept: they exist once, and a
 * folder that cannot be written would cost the person the login.
 *
 * @param folder The store folder; it may not exist yet.
 * @param access Throws when a path may not be written (default: asks the system).
 * @param room Bytes that are free for us where a path lies (default: asks the system).
 * @throws {Failure} that names the folder.
 */
export function checkWritable(
  folder: string,
  access: (path: string) => void = askSystem,
  room: (path: string) => number = freeBytes,
): void {
  let at = folder;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  try {
    access(at);
  } catch (error) {
    const code = errorCode(error) ?? "unknown error";
    throw new Failure(
      `${at} cannot be written (${code}); nothing was changed.`,
      code === "EROFS"
        ? READ_ONLY_FIX
        : "Give yourself the right to write there, or set OPENCODE_MULTI_AUTH_STORE_DIR to another folder.",
    );
  }
  if (room(at) < ROOM_BYTES) {
    throw new Failure(
      `The disk of ${at} is full; nothing was changed.`,
      "Free some space, or set OPENCODE_MULTI_AUTH_STORE_DIR to another folder.",
    );
  }
}

function askSystem(path: string): void {
  accessSync(path, constants.W_OK);
  if (isReadOnlyMount(path)) throw Object.assign(new Error("read-only"), { code: "EROFS" });
}
