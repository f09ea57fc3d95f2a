import { clockTime } from "../../cli/time.ts";

/** A moment: `8:00 PM`; the script puts `in 2h 5m · ` before it. */
export function Moment({ at, now }: { readonly at: number; readonly now: number }) {
  return (
    <time datetime={iso(at)}>
      <i></i>
      {clockTime(at, now, {})}
    </time>
  );
}

/** A moment of which the distance matters: the script makes `3m ago` of it. */
export function Age({ at, now }: { readonly at: number; readonly now: number }) {
  const text = clockTime(at, now, {});
  return <time datetime={iso(at)} title={text}>{text}</time>;
}

/** Further than dates reach: no moment, but no end either. */
export function hasEnd(at: number | null): at is number {
  return at !== null && Math.abs(at) <= 8.64e15 && new Date(at).getUTCFullYear() < 9_000;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
