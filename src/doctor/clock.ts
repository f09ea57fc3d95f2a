import { formatDuration } from "../platform/duration.ts";
import { statIfExists } from "../platform/files.ts";
import { type Check, type Look, ok, warning, wrong } from "./check.ts";
import type { Reached, Servers } from "./network.ts";
import type { Surroundings } from "./surroundings.ts";

/** Before this the program did not exist, epoch milliseconds. */
const BEGINNING = Date.UTC(2026, 0, 1);
/** A difference that is worth a word, in milliseconds: requests and a second's rounding take some of it. */
const NOTABLE_MS = 30_000;
/** Tokens are renewed this long before their end, so a larger difference spends dead ones; in milliseconds. */
const HARMFUL_MS = 5 * 60_000;

const FIX = "Set the clock: timedatectl set-ntp true (macOS: sudo sntp -sS time.apple.com).";

/** Whether this machine's clock is right, by what servers say and by the store's own files. */
export function clockCheck(surroundings: Surroundings, { issuer, backend }: Servers): Check {
  const name = "clock";
  return {
    group: "Machine",
    name,
    async look(): Promise<Look> {
      const now = surroundings.clock.now();
      if (now < BEGINNING) {
        const text = `The clock says ${new Date(now).toISOString()}, long ago.`;
        return { findings: [wrong(name, text, FIX)] };
      }
      const dates = (await Promise.all([issuer(), backend()])).flatMap(dateOf);
      const [date] = dates;
      if (date !== undefined) {
        const off = date.ours - date.theirs;
        const by = `${formatDuration(Math.abs(off))} ${off > 0 ? "ahead of" : "behind"}`;
        const text = `The clock is ${by} the server's.`;
        if (Math.abs(off) >= HARMFUL_MS) {
          return {
            findings: [
              wrong(
                name,
                `${text} Tokens are renewed too late or too early, blocks end wrong.`,
                FIX,
              ),
            ],
          };
        }
        if (Math.abs(off) >= NOTABLE_MS) return { findings: [warning(name, text, FIX)] };
        return { findings: [ok(name, "The clock agrees with the server's.")] };
      }
      return { findings: [byFiles(surroundings, now)] };
    },
  };

  /** Without a network: what was written in the future shows that the clock was set back. */
  function byFiles({ paths, files }: Surroundings, now: number) {
    const latest = [paths.accounts, paths.state, paths.settings, paths.log].flatMap((path) => {
      const stat = statIfExists(path, files);
      return stat === undefined ? [] : [stat.mtimeMs];
    });
    const ahead = Math.max(0, ...latest) - now;
    if (ahead < NOTABLE_MS) return ok(name, "The clock is not older than the store's files.");
    const text = `The store's files were written ${formatDuration(ahead)} in the future: ` +
      "the clock is behind, or was ahead then.";
    return warning(name, text, FIX);
  }
}

function dateOf(answer: Reached): { theirs: number; ours: number }[] {
  return answer.kind === "answered" && answer.date !== undefined ? [answer.date] : [];
}
