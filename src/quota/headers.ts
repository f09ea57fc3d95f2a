import { addWindow, bucketName } from "./reading.ts";
import { PLAN_BUCKET, type QuotaWindow } from "./window.ts";

/** Credits beside the plan, as reported. */
export interface Credits {
  readonly hasCredits: boolean;
  readonly unlimited: boolean;
  /** As the server writes it (`"5.00"`); null when it says nothing. */
  readonly balance: string | null;
}

/** What the headers of one answer say about quota. */
export interface QuotaHeaders {
  /** One per bucket and length; empty when the answer says nothing. */
  readonly windows: readonly QuotaWindow[];
  /** The plan's name, e.g. `plus`. */
  readonly planType?: string;
  /** The bucket that counted this request: `codex`, `premium`, or a model's bucket (`codex_bengalfox`). */
  readonly activeLimit?: string;
  /** Why the limit was reached, e.g. `workspace_member_credits_depleted`. */
  readonly reachedType?: string;
  readonly credits?: Credits;
  /** Names for people by bucket: `codex_bengalfox` -> `GPT-5.3-Codex-Spark`. */
  readonly limitNames?: ReadonlyMap<string, string>;
}

const NOTHING: QuotaHeaders = Object.freeze({ windows: Object.freeze([]) });

const PREFIX = "x-codex-";

/** How the first header of every window ends. */
const USED = "-used-percent";
/** That header of the plan's own windows. */
const PLAN_SLOTS: readonly [string, string] = [
  `${PREFIX}primary${USED}`,
  `${PREFIX}secondary${USED}`,
];
/** How it ends for a model's family, by slot. */
const FAMILY_SLOTS = [`-primary${USED}`, `-secondary${USED}`] as const;
const FAMILY_NAME = "-limit-name";

/**
 * Reads the `x-codex-…` headers of an answer.
 *
 * @param now Epoch milliseconds, for what is given as a span.
 * @param observedAt How old the evidence is, epoch milliseconds: when the request was sent, where that is known.
 */
export function readQuotaHeaders(
  headers: Headers,
  now: number,
  observedAt: number = now,
): QuotaHeaders {
  let limitNames: Map<string, string> | undefined;
  let spoken = false;
  headers.forEach((value, name) => {
    if (!name.startsWith(PREFIX)) return;
    spoken = true;
    if (name.endsWith(FAMILY_NAME) && name.length > PREFIX.length + FAMILY_NAME.length) {
      const limitName = filled(value);
      if (limitName) (limitNames ??= new Map()).set(familyBucket(name, FAMILY_NAME), limitName);
    }
  });
  if (!spoken) return NOTHING;

  const planType = filled(headers.get("x-codex-plan-type"));
  const activeLimit = filled(headers.get("x-codex-active-limit"));
  const reachedType = filled(headers.get("x-codex-rate-limit-reached-type"));
  const credits = readCredits(headers);
  return {
    windows: readQuotaWindows(headers, now, observedAt),
    ...(planType && { planType }),
    ...(activeLimit && { activeLimit: bucketName(activeLimit) }),
    ...(reachedType && { reachedType }),
    ...(credits && { credits }),
    ...(limitNames && { limitNames }),
  };
}

/**
 * The windows among them and nothing else. Runs on every good answer, so the
 * plan's names are looked up directly and the list is walked once, for the
 * families of models whose names nobody knows beforehand.
 *
 * @param now Epoch milliseconds, for what is given as a span.
 * @param observedAt How old the evidence is, epoch milliseconds.
 * @returns One per bucket and length; empty when the answer says nothing.
 */
export function readQuotaWindows(
  headers: Headers,
  now: number,
  observedAt: number,
): readonly QuotaWindow[] {
  const windows: QuotaWindow[] = [];
  const addSlot = (base: string, bucket: string, usedPercent: string | null) => {
    if (usedPercent === null) return;
    const minutes = headers.get(`${base}-window-minutes`);
    const resetAt = headers.get(`${base}-reset-at`);
    const resetAfterSeconds = headers.get(`${base}-reset-after-seconds`);
    const raw = { usedPercent, minutes, resetAt, resetAfterSeconds };
    addWindow(windows, bucket, raw, now, observedAt);
  };
  addSlot(`${PREFIX}primary`, PLAN_BUCKET, headers.get(PLAN_SLOTS[0]));
  addSlot(`${PREFIX}secondary`, PLAN_BUCKET, headers.get(PLAN_SLOTS[1]));
  headers.forEach((value, name) => {
    // The plan's own have been read.
    if (!name.endsWith(USED) || !name.startsWith(PREFIX) || PLAN_SLOTS.includes(name)) return;
    for (const slot of FAMILY_SLOTS) {
      if (!name.endsWith(slot) || name.length <= PREFIX.length + slot.length) continue;
      addSlot(name.slice(0, -USED.length), familyBucket(name, slot), value);
    }
  });
  return windows;
}

/** `x-codex-bengalfox-primary-used-percent` -> `codex_bengalfox`, as the Codex CLI names it. */
function familyBucket(name: string, ending: string): string {
  return bucketName(name.slice("x-".length, -ending.length));
}

function readCredits(headers: Headers): Credits | undefined {
  const has = headers.get("x-codex-credits-has-credits");
  if (has === null) return undefined;
  return {
    hasCredits: isTrue(has),
    unlimited: isTrue(headers.get("x-codex-credits-unlimited")),
    balance: filled(headers.get("x-codex-credits-balance")) ?? null,
  };
}

function isTrue(value: string | null): boolean {
  const text = value?.trim().toLowerCase();
  return text === "true" || text === "1";
}

function filled(value: string | null): string | undefined {
  const text = value?.trim();
  return text ? text : undefined;
}
