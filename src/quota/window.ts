/**
 * One usage window of an account, as last reported. Windows are told apart by
 * their length, never by the slot (primary, secondary) they arrive in.
 */
export interface QuotaWindow {
  /** `codex` for the plan's own windows, else the name of a model's bucket (`codex_bengalfox`). */
  readonly bucket: string;
  /** Length in minutes: 300 = five hours, 10080 = a week. */
  readonly minutes: number;
  /** Share used, 0 to 100. */
  readonly usedPercent: number;
  /** When it starts anew, epoch milliseconds; null when nobody said. */
  readonly resetsAt: number | null;
  /** When this was observed, epoch milliseconds. Newer evidence wins. */
  readonly observedAt: number;
}

/** The bucket of the plan itself. */
export const PLAN_BUCKET = "codex";
