import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/** Makes opaque identifiers from one source of randomness, so that a seeded run repeats itself. */
export class Identifiers {
  readonly #random: () => number;

  /** @param random Numbers from 0 up to, not including, 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** `bytes` random bytes as base64url. */
  opaque(bytes: number): string {
    const drawn = Uint8Array.from({ length: bytes }, () => Math.floor(this.#random() * 256));
    return Buffer.from(drawn).toString("base64url");
  }

  /** `<prefix>_` and 24 hexadecimal digits. */
  named(prefix: string): string {
    return `${prefix}_${Buffer.from(this.opaque(12), "base64url").toString("hex")}`;
  }

  /** A device login's user code, formed like `ABCD-12345`. */
  userCode(): string {
    const draw = (from: string, count: number) =>
      Array.from({ length: count }, () => from[Math.floor(this.#random() * from.length)]).join("");
    return `${draw("ABCDEFGHJKLMNPQRSTUVWXYZ", 4)}-${draw("0123456789", 5)}`;
  }
}

/** A UUID that depends on the text alone: the same plan has the same workspace in every run. */
export function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${
    hex.slice(20, 32)
  }`;
}

/** SHA-256 as base64url: PKCE's S256 (RFC 7636, 4.2). */
export function sha256Base64Url(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
