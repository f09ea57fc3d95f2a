/**
 * Usage windows that really run out, on the simulator's clock, and the figures about them in the
 * two forms the backend gives: response headers and the usage endpoint.
 *
 * @module
 */
import type { Clock } from "../../src/platform/clock.ts";

/** One usage window of a plan. */
export interface WindowOptions {
  /** Length in minutes: 300 = five hours, 10080 = a week. */
  minutes: number;
  /** Share used at the beginning, percent; default 0. */
  usedPercent?: number;
  /** When it starts anew, milliseconds from now. Default: its whole length from the first request on. */
  resetsInMs?: number;
  /** What one answer costs, percent; default 0. */
  costPercentPerRequest?: number;
  /** Where it is reported; default the shorter window as primary. */
  slot?: Slot;
}

/** The two places in which the backend reports a window. */
export type Slot = "primary" | "secondary";

/** Why a request is refused. */
export interface Refusal {
  /** Epoch milliseconds at which every full window has started anew. */
  readonly resetsAt: number;
}

interface Window {
  readonly minutes: number;
  readonly slot: Slot;
  readonly cost: number;
  used: number;
  /** Epoch milliseconds; null while no request has started the window. */
  resetsAt: number | null;
}

/** The windows of one plan. */
export class Quota {
  readonly #clock: Clock;
  readonly #windows: Window[];

  /** @throws {Error} for more than two windows, two in one slot, or two of one length. */
  constructor(clock: Clock, windows: readonly WindowOptions[]) {
    this.#clock = clock;
    this.#windows = assignSlots(windows).map(([options, slot]) => ({
      minutes: options.minutes,
      slot,
      cost: options.costPercentPerRequest ?? 0,
      used: clamp(options.usedPercent ?? 0),
      resetsAt: options.usedPercent === undefined && options.resetsInMs === undefined
        ? null
        : clock.now() + (options.resetsInMs ?? options.minutes * 60_000),
    }));
  }

  /** Percent used of the window of that length. */
  used(minutes: number): number {
    return this.#find(minutes).used;
  }

  /**
   * Sets a window's figure, as if others had used it or the backend had reset it.
   *
   * @param resetsInMs Default: the reset already known, else the window's whole length from now.
   */
  setUsed(minutes: number, percent: number, resetsInMs?: number): void {
    const window = this.#find(minutes);
    window.used = clamp(percent);
    const whole = this.#clock.now() + minutes * 60_000;
    window.resetsAt = resetsInMs === undefined
      ? window.resetsAt ?? whole
      : this.#clock.now() + resetsInMs;
  }

  /** Admits a request and starts the windows that wait for one, or says until when it is refused. */
  admit(): Refusal | null {
    const refusal = this.refusal();
    if (refusal) return refusal;
    for (const window of this.#current()) {
      window.resetsAt ??= this.#clock.now() + window.minutes * 60_000;
    }
    return null;
  }

  /** Whether the next request would be refused. */
  refusal(): Refusal | null {
    const full = this.#current().filter((window) => window.used >= 100);
    if (full.length === 0) return null;
    return { resetsAt: Math.max(...full.map((window) => this.#resetsAt(window))) };
  }

  /** When the next window starts anew, epoch milliseconds; an hour from now for a plan without windows. */
  nextReset(): number {
    const resets = this.#current().map((window) => this.#resetsAt(window));
    return resets.length > 0 ? Math.min(...resets) : this.#clock.now() + 3_600_000;
  }

  /** Books one answer on every window. */
  charge(): void {
    for (const window of this.#current()) window.used = clamp(window.used + window.cost);
  }

  /** The `x-codex-*` figures of one answer. A missing window has length 0, as the backend writes it. */
  headers(): Record<string, string> {
    return {
      ...this.#slotHeaders("primary"),
      "x-codex-primary-over-secondary-limit-percent": "0",
      ...this.#slotHeaders("secondary"),
    };
  }

  /** `rate_limit` of the usage endpoint; null for a plan without windows. */
  rateLimit(): Record<string, unknown> | null {
    if (this.#windows.length === 0) return null;
    const reached = this.refusal() !== null;
    return {
      allowed: !reached,
      limit_reached: reached,
      primary_window: this.#slotUsage("primary"),
      secondary_window: this.#slotUsage("secondary"),
    };
  }

  #slotHeaders(slot: Slot): Record<string, string> {
    const window = this.#inSlot(slot);
    const name = `x-codex-${slot}`;
    return {
      [`${name}-used-percent`]: window ? String(Math.round(window.used * 100) / 100) : "0",
      [`${name}-window-minutes`]: String(window?.minutes ?? 0),
      [`${name}-reset-at`]: window ? String(epochSeconds(this.#resetsAt(window))) : "",
      [`${name}-reset-after-seconds`]: window ? String(this.#secondsLeft(window)) : "0",
    };
  }

  #slotUsage(slot: Slot): Record<string, number> | null {
    const window = this.#inSlot(slot);
    if (!window) return null;
    return {
      // Whole numbers, else Codex cannot decode them; rounded down, so that 99.6 is not "full".
      used_percent: Math.floor(window.used),
      limit_window_seconds: window.minutes * 60,
      reset_after_seconds: this.#secondsLeft(window),
      reset_at: epochSeconds(this.#resetsAt(window)),
    };
  }

  /** A window that nobody has started would end its whole length from now. */
  #resetsAt(window: Window): number {
    return window.resetsAt ?? this.#clock.now() + window.minutes * 60_000;
  }

  #secondsLeft(window: Window): number {
    return Math.max(0, Math.ceil((this.#resetsAt(window) - this.#clock.now()) / 1000));
  }

  #inSlot(slot: Slot): Window | undefined {
    return this.#current().find((window) => window.slot === slot);
  }

  #find(minutes: number): Window {
    const window = this.#current().find((candidate) => candidate.minutes === minutes);
    if (window) return window;
    const known = this.#windows.map((candidate) => candidate.minutes).join(", ") || "none";
    throw new Error(`The plan has no window of ${minutes} minutes; it has: ${known}.`);
  }

  /** The windows after the clock has had its say. */
  #current(): Window[] {
    const now = this.#clock.now();
    for (const window of this.#windows) {
      if (window.resetsAt !== null && window.resetsAt <= now) {
        window.used = 0;
        window.resetsAt = null;
      }
    }
    return this.#windows;
  }
}

/** Epoch seconds, rounded up, so that a client that waits until then is not early. */
export function epochSeconds(ms: number): number {
  return Math.ceil(ms / 1000);
}

function clamp(percent: number): number {
  return Math.min(100, Math.max(0, percent));
}

function assignSlots(windows: readonly WindowOptions[]): [WindowOptions, Slot][] {
  if (windows.length > 2) {
    throw new Error(`A plan has at most two windows, not ${windows.length}; there are two slots.`);
  }
  const shortestFirst = [...windows].sort((a, b) => a.minutes - b.minutes);
  const free = new Set<Slot>(["primary", "secondary"]);
  for (const window of windows) {
    if (window.slot && !free.delete(window.slot)) {
      throw new Error(`Two windows want the slot ${window.slot}; give each its own.`);
    }
  }
  if (shortestFirst.length === 2 && shortestFirst[0]?.minutes === shortestFirst[1]?.minutes) {
    throw new Error(`Two windows of ${shortestFirst[0]?.minutes} minutes cannot be told apart.`);
  }
  return shortestFirst.map((window) => {
    const slot = window.slot ?? (free.has("primary") ? "primary" : "secondary");
    free.delete(slot);
    return [window, slot];
  });
}
