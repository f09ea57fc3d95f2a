/**
 * The sealed form of `accounts.json`: AES-256-GCM under a key that scrypt
 * makes of a passphrase.
 *
 * @module
 */
import { asNumber, asObject, asText, type JsonObject } from "../platform/json.ts";
import { builtin } from "../platform/runtime.ts";

/** How a key is made of a passphrase. */
export interface KeyParameters {
  /** Base64. */
  readonly salt: string;
  /** Cost, a power of two. */
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** A sealed file's content. */
export interface Envelope extends KeyParameters {
  /** Base64, as are `tag` and `data`. */
  readonly iv: string;
  readonly tag: string;
  readonly data: string;
}

/** The envelopes of the older projects name no cost; this is theirs. */
const OLDER_COST = { N: 16_384, r: 8, p: 1 };
/** What new files use: 128 MiB and about half a second, what OWASP's cheat sheet on password storage asks of scrypt. */
const COST = { N: 131_072, r: 8, p: 1 };
/** The version that our own envelopes carry; 1 and 2 are the older projects'. */
const ENVELOPE_VERSION = 3;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const KEY_BYTES = 32;

/** What a file may ask of this machine: at most 1 GiB, so that nobody's file stops a process. */
const MAX_COST = { N: 2 ** 20, r: 8, p: 16 };
/** Length of a tag of 16 bytes in base64. */
const TAG_LENGTH = 24;

/** Whether a file's JSON is a sealed store. */
export function isSealed(json: unknown): boolean {
  const object = asObject(json);
  return object?.["encrypted"] === true && typeof object["data"] === "string";
}

/** Reads a sealed file's JSON; undefined when parts of it are missing or damaged. */
export function readEnvelope(json: unknown): Envelope | undefined {
  const parts = asObject(json);
  const [salt, iv, tag, data] = ["salt", "iv", "tag", "data"].map((name) => base64(parts?.[name]));
  const [N, r, p] = (["N", "r", "p"] as const).map((name) => cost(parts, name));
  if (!salt || !iv || tag?.length !== TAG_LENGTH || !data || !N || !r || !p) return undefined;
  // scrypt takes powers of two from 2.
  return N > 1 && (N & (N - 1)) === 0 ? { salt, iv, tag, data, N, r, p } : undefined;
}

function base64(value: unknown): string | undefined {
  const text = asText(value) ?? "";
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? text : undefined;
}

function cost(parts: JsonObject | undefined, name: "N" | "r" | "p"): number | undefined {
  const value = parts?.[name] === undefined ? OLDER_COST[name] : asNumber(parts[name]);
  return value && Number.isInteger(value) && value >= 1 && value <= MAX_COST[name]
    ? value
    : undefined;
}

/** New parameters of today's cost with a salt of their own. */
export function newKeyParameters(): KeyParameters {
  return { salt: toBase64(builtin("node:crypto").randomBytes(SALT_BYTES)), ...COST };
}

/** Whether a file's key costs as much as that of a new file. */
export function isStrong({ N, r, p }: KeyParameters): boolean {
  return N * r * p >= COST.N * COST.r * COST.p;
}

/** One name for the same parameters. */
export function parametersName({ salt, N, r, p }: KeyParameters): string {
  return `${N}/${r}/${p}/${salt}`;
}

/** Makes the key. Takes about half a second, off the main thread. */
export function deriveKey(passphrase: string, parameters: KeyParameters): Promise<Uint8Array> {
  const { salt, N, r, p } = parameters;
  return new Promise((resolve, reject) =>
    builtin("node:crypto").scrypt(
      passphrase,
      fromBase64(salt),
      KEY_BYTES,
      // Needed are 128 * N * r bytes and some; the standard limit is 32 MiB.
      { N, r, p, maxmem: 128 * N * r + 32 * 1024 * 1024 },
      (error, key) => error ? reject(error) : resolve(key),
    )
  );
}

/** The text inside; undefined when the key does not open it or the data is damaged (GCM does not tell which). */
export function openEnvelope(envelope: Envelope, key: Uint8Array): string | undefined {
  try {
    const decipher = builtin("node:crypto").createDecipheriv(
      "aes-256-gcm",
      key,
      fromBase64(envelope.iv),
    );
    decipher.setAuthTag(fromBase64(envelope.tag));
    const head = decipher.update(fromBase64(envelope.data));
    const tail = decipher.final();
    return new TextDecoder().decode(builtin("node:buffer").Buffer.concat([head, tail]));
  } catch {
    return undefined;
  }
}

/** Seals a text, as the text of a file. Every call takes a new iv. */
export function sealText(text: string, parameters: KeyParameters, key: Uint8Array): string {
  const iv = builtin("node:crypto").randomBytes(IV_BYTES);
  const cipher = builtin("node:crypto").createCipheriv("aes-256-gcm", key, iv);
  const data = builtin("node:buffer").Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  const { salt, N, r, p } = parameters;
  const envelope = {
    encrypted: true,
    version: ENVELOPE_VERSION,
    kdf: "scrypt",
    N,
    r,
    p,
    salt,
    iv: toBase64(iv),
    tag: toBase64(cipher.getAuthTag()),
    data: toBase64(data),
  };
  return `${JSON.stringify(envelope, null, 2)}\n`;
}

function fromBase64(text: string): Uint8Array {
  return builtin("node:buffer").Buffer.from(text, "base64");
}

function toBase64(bytes: Uint8Array): string {
  return builtin("node:buffer").Buffer.from(bytes).toString("base64");
}
