import type { Clock } from "./clock.ts";

/** How late a timer may fire before it counts as a clock that jumped, or a machine that slept, in milliseconds. */
const LAG_MS = 1_000;

interface Deadline {
  at: number;
  readonly ms: number;
  readonly callback: () => void;
}

/**
 * A clock whose timers share one timer of the system.
 *
 * For limits that are set with every request and hardly ever reached: setting
 * and cancelling one costs an entry in a set, since the system's timer goes on
 * to run for whoever waits next. Where the clock has jumped meanwhile, everybody
 * waits anew. The process may end while they wait.
 */
export function sharedTimer(clock: Clock): Clock {
  const waiting = new Set<Deadline>();
  let armed: { readonly at: number; readonly cancel: () => void } | undefined;

  const arm = (at: number, now: number) => {
    armed?.cancel();
    armed = { at, cancel: clock.after(at - now, fire, { background: true }) };
  };
  const fire = () => {
    const now = clock.now();
    const jumped = armed !== undefined && Math.abs(now - armed.at) > LAG_MS;
    armed = undefined;
    const due: Deadline[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const deadline of waiting) {
      if (jumped) deadline.at = now + deadline.ms;
      if (deadline.at <= now) due.push(deadline);
      else next = Math.min(next, deadline.at);
    }
    if (next < Number.POSITIVE_INFINITY) arm(next, now);
    for (const deadline of due) if (waiting.delete(deadline)) deadline.callback();
  };

  return {
    now: () => clock.now(),
    after(ms, callback) {
      const now = clock.now();
      const deadline = { at: now + ms, ms, callback };
      waiting.add(deadline);
      // A clock that was set back leaves the timer armed for a far moment.
      if (!armed || deadline.at < armed.at) arm(deadline.at, now);
      return () => void waiting.delete(deadline);
    },
  };
}
