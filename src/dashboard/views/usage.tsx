import { amount } from "../../cli/token_sums.ts";
import type { DashboardModel } from "../model.ts";
import { whole } from "./window.tsx";

type Day = DashboardModel["usage"][number];

/** The chart's field: each day has a column of this width. */
const COLUMN = 20;
const HEIGHT = 64;
/** Days in the chart. */
const DAYS = 14;
const DAY_MS = 86_400_000;

/** Tokens by day, as columns and as a table. */
export function Usage({ usage: counted }: { readonly usage: readonly Day[] }) {
  const usage = gapless(counted);
  const most = Math.max(...usage.map(total), 1);
  const busy = usage.filter((day) => day.answers > 0);
  return (
    <section id="usage" aria-labelledby="usage-title">
      <h2 id="usage-title">Usage by day</h2>
      {busy.length === 0 ? <p>No answer counted yet.</p> : (
        <>
          <svg
            class="chart"
            viewBox={`0 0 ${usage.length * COLUMN} ${HEIGHT}`}
            preserveAspectRatio="none"
            role="img"
            aria-labelledby="usage-words"
          >
            {usage.map((day, index) => {
              const height = Math.round(total(day) / most * HEIGHT);
              const cached = Math.round(day.cached / most * HEIGHT);
              const x = index * COLUMN + 2;
              return (
                <g>
                  <title>{words(day)}</title>
                  <rect x={x} y={HEIGHT - height} width={COLUMN - 4} height={height} />
                  <rect
                    class="cached"
                    x={x}
                    y={HEIGHT - cached}
                    width={COLUMN - 4}
                    height={cached}
                  />
                </g>
              );
            })}
          </svg>
          <p class="axis" aria-hidden="true">
            <span>{usage[0]?.day}</span>
            <span>{usage.at(-1)?.day}</span>
          </p>
          <p id="usage-words">
            {`${sum(usage, "answers")} answers in ${DAYS} days: ${
              amount(sum(usage, "input"))
            } tokens in, ` +
              `${cachedShare(usage)} of them cached (the paler part), ${
                amount(sum(usage, "output"))
              } out.`}
          </p>
          <details>
            <summary>As a table</summary>
            <div class="scroll" tabindex={0} role="region" aria-label="Usage by day as a table">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Day</th>
                    <th scope="col" class="number">Answers</th>
                    <th scope="col" class="number">Tokens in</th>
                    <th scope="col" class="number">Cached</th>
                    <th scope="col" class="number">Tokens out</th>
                  </tr>
                </thead>
                <tbody>
                  {busy.toReversed().map((day) => (
                    <tr>
                      <td>{day.day}</td>
                      <td class="number">{day.answers}</td>
                      <td class="number">{amount(day.input)}</td>
                      <td class="number">{cachedShare([day])}</td>
                      <td class="number">{amount(day.output)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </section>
  );
}

/** The last days without gaps: those on which nothing was asked are days as well. */
function gapless(counted: readonly Day[]): readonly Day[] {
  const last = counted.at(-1);
  if (last === undefined) return [];
  const known = new Map(counted.map((day) => [day.day, day]));
  return Array.from({ length: DAYS }, (_, index) => {
    const at = Date.parse(`${last.day}T12:00:00Z`) - (DAYS - 1 - index) * DAY_MS;
    const day = new Date(at).toISOString().slice(0, 10);
    return known.get(day) ?? { day, answers: 0, input: 0, cached: 0, output: 0 };
  });
}

function total(day: Day): number {
  return day.input + day.output;
}

function sum(usage: readonly Day[], field: Exclude<keyof Day, "day">): number {
  return usage.reduce((all, day) => all + day[field], 0);
}

function cachedShare(usage: readonly Day[]): string {
  const input = sum(usage, "input");
  return input === 0 ? "0%" : `${whole(sum(usage, "cached") / input * 100)}%`;
}

function words(day: Day): string {
  return `${day.day}: ${day.answers} answers, ${amount(day.input)} in (${
    cachedShare([day])
  } cached), ${amount(day.output)} out`;
}
