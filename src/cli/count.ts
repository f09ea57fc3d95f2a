import { printable } from "../account/alias.ts";
import { Failure } from "../platform/failure.ts";

/**
 * Reads how many are asked for.
 *
 * @param things What is counted: `days`.
 * @throws {Failure} unless it is a whole number from 1 to `most`.
 */
export function countOf(text: string, things: string, most: number): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= most) return count;
  throw new Failure(
    `"${printable(text)}" is not a number of ${things}.`,
    `Write a whole number from 1 to ${most}.`,
    2,
  );
}

/**
 * Reads how many of a log's last lines are asked for.
 *
 * @throws {Failure} unless it is a whole number.
 */
export function lineCountOf(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new Failure(`"${printable(text)}" is not a number of lines.`, "Give one such as 100.", 2);
}
