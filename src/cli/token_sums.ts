import type { Tokens } from "../store/store.ts";

const UNITS = [["k", 1e3], ["M", 1e6], ["G", 1e9], ["T", 1e12]] as const;

/** A count in at most three digits and a unit: `999`, `1.23k`, `40k`, `1.2M`. */
export function amount(count: number): string {
  if (count < 1_000) return String(count);
  for (const [unit, size] of UNITS) {
    const short = Number((count / size).toPrecision(3));
    if (short < 1_000) return `${short}${unit}`;
  }
  return "999T+";
}

/** The part of what was sent that the backend knew already, in whole percent; null where nothing was sent. */
export function cachedPercent({ input, cached }: Pick<Tokens, "input" | "cached">): number | null {
  return input === 0 ? null : Math.min(100, Math.floor(100 * cached / input));
}

/** Tokens of several answers. */
export interface TokenSums extends Tokens {
  readonly answers: number;
}

/** Adds up. */
export function sumTokens(all: readonly TokenSums[]): TokenSums {
  const total = { answers: 0, input: 0, cached: 0, output: 0, reasoning: 0 };
  for (const one of all) {
    total.answers += one.answers;
    total.input += one.input;
    total.cached += one.cached;
    total.output += one.output;
    total.reasoning += one.reasoning;
  }
  return total;
}
