/** The day a moment falls on where this machine is, as `2026-11-24`. */
export function localDay(at: number): string {
  const minute = Math.floor(at / 60_000);
  // Asked with every answer; days change with a minute.
  if (minute !== known.minute) {
    const offset = new Date(at).getTimezoneOffset();
    known = { minute, day: new Date(at - offset * 60_000).toISOString().slice(0, 10) };
  }
  return known.day;
}

let known = { minute: Number.NaN, day: "" };

/**
 * The day so many days later.
 *
 * @param day As `2026-11-24`.
 * @param days Negative for earlier ones.
 */
export function addDays(day: string, days: number): string {
  // In UTC every day has 24 hours.
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
}
