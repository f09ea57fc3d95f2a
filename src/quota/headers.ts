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

/** How the first header of a family's window ends, by slot. */
const FAMILY_SLOTS = ["-primary-used-percent", "-secondary-used-percent"] as const;
const FAMILY_NAME = "-limit-name";

/**
 * Reads the `x-codex-…` headers of an answer. Runs on every response, so the
 * known names are looked up directly and the list is walked once, for the
 * families of models whose names nobody knows beforehand.
 *
 * @param now Epoch milliseconds, for what is given as a span.
 * @param observedAt How old the evidence is, epoch milliseconds: when the request was sent, where that is known.
 */
export function readQuotaHeaders(
  headers: Headers,
  now: number,
  observedAt: number = now,
): QuotaHeaders {
  let windows: QuotaWindow[] | undefined;
  let limitNames: Map<string, string> | undefined;
  let spoken = false;

  const addSlot = (base: string, bucket: string) => {
    const usedPercent = headers.get(`${base}-used-percent`);
    if (usedPercent === null) return;
    addWindow(
      windows ??= [],
      bucket,
      {
        usedPercent,
        minutes: headers.get(`${base}-window-minutes`),
        resetAt: headers.get(`${base}-reset-at`),
        resetAfterSeconds: headers.get(`${base}-reset-after-seconds`),
      },
      now,
      observedAt,
    );
  };

  addSlot(`${PREFIX}primary`, PLAN_BUCKET);
  addSlot(`${PREFIX}secondary`, PLAN_BUCKET);
  headers.forEach((value, name) => {
    if (!name.startsWith(PREFIX)) return;
    spoken = true;
    for (const slot of FAMILY_SLOTS) {
      // Longer than prefix and slot together, else it is the plan's own header.
      if (name.endsWith(slot) && name.length > PREFIX.length + slot.length) {
        addSlot(name.slice(0, -"-used-percent".length), familyBucket(name, slot));
      }
    }
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
    windows: windows ?? [],
    ...(planType && { planType }),
    ...(activeLimit && { activeLimit: bucketName(activeLimit) }),
    ...(reachedType && { reachedType }),
    ...(credits && { credits }),
    ...(limitNames && { limitNames }),
  };
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
