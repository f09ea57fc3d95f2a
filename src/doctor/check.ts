/**
 * What a check is: it looks at one concern, says what it found, and can mend some of it.
 *
 * @module
 */

/**
 * How bad something is: a warning does not keep the program from working. What is unseen could not be
 * looked at for want of a permission, and may be well.
 */
export type State = "ok" | "warning" | "wrong" | "unseen";

/** One line of the report. Holds no token. */
export interface Finding {
  /** What was looked at, the same in every run: `plugin entry`, `file modes`. */
  readonly name: string;
  readonly state: State;
  /** What was seen and why that is so, as a sentence. */
  readonly text: string;
  /** What mends it, as an instruction. Whatever is not ok has one. */
  readonly fix?: string;
  /** Set where `--fix` does it: what is asked first. */
  readonly mend?: string;
}

/** What mending did. */
export interface Mended {
  /** Copies of what was there before. */
  readonly backups?: readonly string[];
  /** What did not work, one sentence each. */
  readonly failures?: readonly string[];
}

/** What a check came to. */
export interface Look {
  readonly findings: readonly Finding[];
  /**
   * Mends some of the findings, those that have `mend`.
   *
   * @throws when nothing could be done.
   */
  readonly mend?: (chosen: readonly Finding[]) => Promise<Mended> | Mended;
}

/** Looks at one concern and changes nothing. */
export interface Check {
  /** The heading it stands under. */
  readonly group: string;
  /** Names the check where it cannot say anything itself. */
  readonly name: string;
  /** How long it may take, in milliseconds (default {@linkcode LIMIT_MS}). */
  readonly limitMs?: number;
  /** @param signal Aborts when its time is over. */
  look(signal: AbortSignal): Promise<Look> | Look;
}

/** How long a check may take unless it says otherwise, in milliseconds. */
export const LIMIT_MS = 10_000;

/** All is well. */
export function ok(name: string, text: string): Finding {
  return { name, state: "ok", text };
}

/** Worth knowing; the program works all the same. */
export function warning(name: string, text: string, fix: string, mend?: string): Finding {
  return { name, state: "warning", text, fix, ...(mend === undefined ? {} : { mend }) };
}

/** Something does not work. */
export function wrong(name: string, text: string, fix: string, mend?: string): Finding {
  return { name, state: "wrong", text, fix, ...(mend === undefined ? {} : { mend }) };
}
