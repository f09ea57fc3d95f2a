import { type Clock, sleep } from "../platform/clock.ts";
import { errorCode, messageOf } from "../platform/failure.ts";
import { type FileSystem, followLink, statIfExists } from "../platform/files.ts";
import { asObject, type JsonObject } from "../platform/json.ts";

/** What stands in an `auth.json`. */
export type AuthReading =
  | { readonly kind: "absent" } & Place
  | {
    readonly kind: "read";
    /** To the letter; tells whether the file is still the same. */
    readonly text: string;
    readonly json: JsonObject;
    /** Epoch milliseconds. */
    readonly changedAt: number;
  } & Place
  | {
    readonly kind: "unreadable";
    /** Why, in words that follow a colon. */
    readonly why: string;
    readonly text?: string;
    readonly changedAt: number | null;
  } & Place;

interface Place {
  /** The real file: a symlink is followed. */
  readonly path: string;
}

/** Nothing that Codex writes is nearly as large, in bytes. */
const MAX_BYTES = 1024 * 1024;
/** How often a file is read that is not whole yet, and the pause before each time, in milliseconds. */
const TRIES = 6;
const PAUSE_MS = 40;

/** Reads an `auth.json` once, as it stands. Never throws. */
export function readAuthFile(path: string, files: FileSystem): AuthReading {
  let real = path;
  let changedAt: number | null = null;
  const unreadable = (why: string, text?: string): AuthReading => ({
    kind: "unreadable",
    path: real,
    why,
    changedAt,
    ...(text === undefined ? {} : { text }),
  });
  try {
    real = followLink(path, files);
    const stat = statIfExists(real, files);
    if (!stat) return { kind: "absent", path: real };
    changedAt = Math.floor(stat.mtimeMs);
    if (stat.isDirectory()) return unreadable("it is a folder");
    if (stat.size > MAX_BYTES) return unreadable("it is larger than any login");
    const text = new TextDecoder().decode(files.read(real));
    const json = asObject(parse(text));
    if (!json) return unreadable("it is not JSON, or was cut short", text);
    return { kind: "read", path: real, text, json, changedAt };
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return { kind: "absent", path: real };
    return unreadable(`it cannot be read (${code ?? messageOf(error)})`);
  }
}

/**
 * Reads an `auth.json` when it is whole: a program that does not replace it in one step may be in
 * the middle of writing, so a broken text is looked at again for a quarter of a second.
 */
export async function readWholeAuthFile(
  path: string,
  { files, clock }: { readonly files: FileSystem; readonly clock: Clock },
): Promise<AuthReading> {
  for (let attempt = 1;; attempt++) {
    const reading = readAuthFile(path, files);
    const broken = reading.kind === "unreadable" && reading.text !== undefined;
    if (!broken || attempt === TRIES) return reading;
    await sleep(clock, PAUSE_MS);
  }
}

/** Never with the parser's own words: they quote the text, and that may be a token. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
