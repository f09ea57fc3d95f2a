/**
 * Kinds of values that a setting may have.
 *
 * @module
 */
import { parseDuration } from "./duration.ts";
import { asNumber } from "./json.ts";

/** A value as the setting takes it, or what is wrong with it in words that follow its name. */
export type Reading<T> = { readonly value: T } | { readonly wrong: string };

/** What can be set: how it is read, its standard value, and its variable. What it means: `settings_about.ts`. */
export interface Definition<T> {
  readonly read: (value: unknown) => Reading<T>;
  /** Makes a value of a text that a person has typed; without one, digits are a number and the rest stays text. */
  readonly fromText?: (text: string) => unknown;
  readonly standard: T;
  readonly env: string | undefined;
}

const MAX_SPAN_MS = 7 * 86_400_000;

/** A span of at least so many milliseconds, as a number of them or as `30s`. */
export function span(least: number): Definition<number>["read"] {
  return (value) => {
    const ms = asNumber(typeof value === "string" ? parseDuration(value) : value);
    if (ms === undefined) {
      return { wrong: "must be a span such as 30s, 10m or 2h, or a number of milliseconds" };
    }
    if (ms < least) return { wrong: `must be at least ${least} ms` };
    return ms > MAX_SPAN_MS ? { wrong: "must be at most 7d" } : { value: ms };
  };
}

/** One word of a few. */
export function oneOf<const T extends string>(words: readonly T[]): Definition<T>["read"] {
  return (value) => {
    const word = words.find((word) => word === value);
    return word === undefined ? { wrong: `must be one of ${words.join(", ")}` } : { value: word };
  };
}

/** A number between two, the ends among them. */
export function between(least: number, most: number, whole = false): Definition<number>["read"] {
  return (value) => {
    const number = asNumber(value);
    const fits = number !== undefined && number >= least && number <= most &&
      (!whole || Number.isInteger(number));
    const kind = whole ? "whole number" : "number";
    return fits ? { value: number } : { wrong: `must be a ${kind} from ${least} to ${most}` };
  };
}

/** Whether something is on, in the words that people and older projects use for it. */
export function readSwitch(value: unknown): Reading<boolean> {
  const word = String(value).trim().toLowerCase();
  if (["true", "1", "on", "yes"].includes(word)) return { value: true };
  if (["false", "0", "off", "no"].includes(word)) return { value: false };
  return { wrong: "must be on or off" };
}
