import * as v from "valibot";
import type { Credits } from "./headers.ts";
import { readCredits } from "./rate_limits_event.ts";
import { addWindow, bucketName } from "./reading.ts";
import { readNumber } from "./reset.ts";
import { PLAN_BUCKET, type QuotaWindow } from "./window.ts";

/** What the usage endpoint says about one bucket. */
export interface BucketUsage {
  /** `codex` for the plan itself, else a model's bucket (`codex_bengalfox`). */
  readonly bucket: string;
  /** The bucket's name for people. */
  readonly limitName?: string;
  readonly allowed?: boolean;
  readonly limitReached?: boolean;
}

/** What the usage endpoint says about an account. */
export interface Usage {
  /** Windows of all buckets. */
  readonly windows: readonly QuotaWindow[];
  readonly buckets: readonly BucketUsage[];
  /** The plan's name as the server writes it, also one that nobody knows yet. */
  readonly planType?: string;
  readonly userId?: string;
  readonly accountId?: string;
  readonly email?: string;
  /** Whether the plan's own bucket may be used. Worth something only if user and account are the ones asked about. */
  readonly allowed?: boolean;
  readonly limitReached?: boolean;
  /** Why a limit was reached, e.g. `workspace_member_credits_depleted`. */
  readonly reachedType?: string;
  readonly credits?: Credits;
  /** Whether a limit on spending is reached. */
  readonly spendingStopped?: boolean;
  /** Credits that reset a limit early, by count. */
  readonly resetCredits?: number;
}

/** A field that is nothing when it is not what it should be: one odd field must not cost the others. */
const tolerant = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.fallback(v.optional(schema), undefined);

const Flag = tolerant(v.boolean());
const Text = tolerant(v.pipe(v.string(), v.trim(), v.nonEmpty()));
const Unread = v.optional(v.unknown());

const Window = tolerant(v.object({
  used_percent: Unread,
  limit_window_seconds: Unread,
  reset_after_seconds: Unread,
  reset_at: Unread,
}));

const RateLimit = tolerant(v.object({
  allowed: Flag,
  limit_reached: Flag,
  primary_window: Window,
  secondary_window: Window,
}));

const Additional = tolerant(v.object({
  limit_name: Text,
  metered_feature: Text,
  rate_limit: RateLimit,
}));

const Body = v.object({
  user_id: Text,
  account_id: Text,
  email: Text,
  plan_type: Text,
  rate_limit: RateLimit,
  additional_rate_limits: tolerant(v.array(Additional)),
  credits: Unread,
  spend_control: tolerant(v.object({ reached: Flag })),
  rate_limit_reached_type: tolerant(v.union([v.string(), v.object({ type: v.string() })])),
  rate_limit_reset_credits: tolerant(v.object({ available_count: Unread })),
});

type RateLimit = v.InferOutput<typeof RateLimit>;

/**
 * Reads an answer of the usage endpoint, as liberally as it can be read:
 * floats, numbers as text and missing parts are all seen in the wild.
 *
 * @param body The body's text, or what was parsed of it.
 * @param now Epoch milliseconds; becomes `observedAt`.
 * @returns undefined when the body is no such answer at all. Never throws.
 */
export function readUsage(body: unknown, now: number): Usage | undefined {
  const parsed = v.safeParse(Body, typeof body === "string" ? parse(body) : body);
  if (!parsed.success) return undefined;
  const usage = parsed.output;
  const windows: QuotaWindow[] = [];
  const buckets: BucketUsage[] = [];
  if (usage.rate_limit) addBucket(buckets, windows, PLAN_BUCKET, undefined, usage.rate_limit, now);
  for (const one of usage.additional_rate_limits ?? []) {
    const name = one?.metered_feature ?? one?.limit_name;
    if (name === undefined) continue;
    addBucket(buckets, windows, bucketName(name), one?.limit_name, one?.rate_limit, now);
  }
  // An error body or an empty object is a JSON object too.
  if (usage.plan_type === undefined && buckets.length === 0) return undefined;
  const plan = buckets.find((one) => one.bucket === PLAN_BUCKET);
  const reached = usage.rate_limit_reached_type;
  return defined({
    windows,
    buckets,
    planType: usage.plan_type,
    userId: usage.user_id,
    accountId: usage.account_id,
    email: usage.email,
    allowed: plan?.allowed,
    limitReached: plan?.limitReached,
    reachedType: typeof reached === "string" ? reached : reached?.type,
    credits: readCredits(usage.credits),
    spendingStopped: usage.spend_control?.reached,
    resetCredits: readNumber(usage.rate_limit_reset_credits?.available_count),
  });
}

function addBucket(
  buckets: BucketUsage[],
  windows: QuotaWindow[],
  bucket: string,
  limitName: string | undefined,
  limit: RateLimit,
  now: number,
): void {
  for (const window of [limit?.primary_window, limit?.secondary_window]) {
    const seconds = readNumber(window?.limit_window_seconds);
    if (!window || seconds === undefined) continue;
    addWindow(windows, bucket, {
      usedPercent: window.used_percent,
      minutes: seconds / 60,
      resetAt: window.reset_at,
      resetAfterSeconds: window.reset_after_seconds,
    }, now);
  }
  buckets.push(defined({
    bucket,
    limitName,
    allowed: limit?.allowed,
    limitReached: limit?.limit_reached,
  }));
}

type Defined<Fields> =
  & { [Key in keyof Fields as undefined extends Fields[Key] ? never : Key]: Fields[Key] }
  & {
    [Key in keyof Fields as undefined extends Fields[Key] ? Key : never]?: Exclude<
      Fields[Key],
      undefined
    >;
  };

/** An object without the fields that are undefined. */
function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<Fields>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
