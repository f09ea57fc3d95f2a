import type { NotifyTopic } from "../platform/notify_settings.ts";

/** Something to tell a person outside of OpenCode. */
export interface Notification {
  /** What it is about; the person's settings decide on it by this. */
  readonly topic: NotifyTopic;
  /** A second one that must be wanted too. */
  readonly also?: NotifyTopic;
  /** Who speaks, one line. */
  readonly title: string;
  /** What happened: one line, or two with the details in the second. */
  readonly body: string;
  /** As ntfy counts: 3 is normal, 4 high, 5 urgent. */
  readonly priority: 3 | 4 | 5;
  /** ntfy's names of tags; those of an emoji are shown as one. */
  readonly tags: readonly string[];
  /** The session that a click should lead to. */
  readonly session?: string;
}

/** Longest line that is told, in characters. */
const MAX_LINE = 300;

/** A text of somebody else's as one line: control characters and breaks become spaces, what is too long is cut. */
export function oneLine(text: string, most: number = MAX_LINE): string {
  const line = text.toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s\u202a-\u202e\u2066-\u2069]+/gu, " ").trim();
  const characters = [...line.slice(0, 4 * most)];
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : line;
}
