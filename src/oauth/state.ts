import { builtin } from "../platform/runtime.ts";

/** Gives that many bytes nobody can guess. */
export type RandomBytes = (length: number) => Uint8Array;

/** The system's own source. */
export const secureRandomBytes: RandomBytes = (length) =>
  crypto.getRandomValues(new Uint8Array(length));

/** A new state: 16 random bytes in hex, as the older clients send it. */
export function newState(random: RandomBytes): string {
  return Array.from(random(16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Whether the state that came back is the one that was sent, in a time that
 * says nothing about how much of it was right.
 */
export function sameState(given: string, expected: string): boolean {
  // The digests have one length, whatever was given.
  return builtin("node:crypto").timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Uint8Array {
  return builtin("node:crypto").createHash("sha256").update(text).digest();
}
