import { Failure } from "../platform/failure.ts";
import { type FileStat, type FileSystem, readTextIfExists } from "../platform/files.ts";
import type { Paths } from "../platform/paths.ts";
import { repairModes } from "./accounts_copies.ts";
import { damaged, unreadable } from "./accounts_failure.ts";
import { type Document, MAX_FILE_BYTES, readDocument } from "./accounts_format.ts";
import type { Keyring } from "./keyring.ts";
import { isSealed, type KeyParameters, openEnvelope, readEnvelope } from "./seal.ts";

/** What `accounts.json` holds. */
export type Contents =
  | { readonly kind: "absent"; readonly stamp: ""; readonly sealed?: undefined }
  /** Sealed, and no passphrase opens it. */
  | {
    readonly kind: "locked";
    readonly stamp: string;
    readonly sealed?: undefined;
    readonly why: Failure;
  }
  | {
    readonly kind: "open";
    readonly stamp: string;
    readonly document: Document;
    /** The file's own text. */
    readonly text: string;
    /** How its key is made, if it is sealed. */
    readonly sealed: KeyParameters | undefined;
  };

/** Contents that can be changed. */
export type Changeable = Exclude<Contents, { kind: "locked" }>;

/**
 * Reads `accounts.json`, and takes it and its copies away from everybody but their owner.
 *
 * @param stat What is known about the file, and `stamp` what follows from that.
 * @param now Epoch milliseconds, for marks without a time.
 * @throws {Failure} when it cannot be read or is no file of ours; nothing is changed then.
 * @throws {KeyNeeded} when it is sealed and its key was not derived yet.
 */
export function readContents(
  stat: FileStat,
  stamp: string,
  paths: Paths,
  files: FileSystem,
  keyring: Keyring,
  now: number,
): Contents {
  const path = paths.accounts;
  if (stat.isDirectory()) {
    throw new Failure(`${path} is a folder.`, "Move it away; nothing was changed.");
  }
  if (stat.size > MAX_FILE_BYTES) {
    throw damaged(paths, files, `is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB`);
  }
  repairModes(paths, files);
  let text: string | undefined;
  try {
    text = readTextIfExists(path, files);
  } catch (error) {
    throw unreadable(path, error);
  }
  if (text === undefined) return { kind: "absent", stamp: "" };
  const parse = (json: string): unknown => {
    try {
      return JSON.parse(json);
    } catch {
      const what = json.trim() === "" ? "is empty" : "is not JSON, or was cut short";
      throw damaged(paths, files, what);
    }
  };
  const json = parse(text);
  if (!isSealed(json)) {
    return {
      kind: "open",
      stamp,
      document: open(json, paths, files, now),
      text,
      sealed: undefined,
    };
  }

  const envelope = readEnvelope(json);
  if (!envelope) throw damaged(paths, files, "is sealed, and parts of the seal are missing");
  const key = keyring.key(envelope);
  if (!key) {
    const why = keyring.problem ?? new Failure(
      `${path} is sealed, and CODEX_SOFT_STORE_PASSPHRASE is not set.`,
      "Set CODEX_SOFT_STORE_PASSPHRASE, or CODEX_SOFT_STORE_PASSPHRASE_COMMAND to a command that prints it.",
    );
    return { kind: "locked", stamp, why };
  }
  const plain = openEnvelope(envelope, key);
  if (plain === undefined) {
    const why = new Failure(
      `The passphrase does not open ${path}.`,
      "Set CODEX_SOFT_STORE_PASSPHRASE to the one it was sealed with; spaces count.",
    );
    return { kind: "locked", stamp, why };
  }
  const { salt, N, r, p } = envelope;
  const document = open(parse(plain), paths, files, now);
  return { kind: "open", stamp, document, text, sealed: { salt, N, r, p } };
}

function open(json: unknown, paths: Paths, files: FileSystem, now: number): Document {
  const document = readDocument(json, now);
  if (!("wrong" in document)) return document;
  if (!document.newer) throw damaged(paths, files, document.wrong);
  throw new Failure(
    `${paths.accounts} ${document.wrong}.`,
    "Update opencode-multi-auth; nothing was changed.",
  );
}
