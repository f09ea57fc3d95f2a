import type { Level } from "../../platform/log.ts";
import type { DashboardModel, LogLine } from "../model.ts";
import { Choice } from "./toolbar.tsx";

/** Levels by weight. */
const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];

/** The log's newest lines. */
export function Log({ log, level }: {
  readonly log: DashboardModel["log"];
  readonly level: Level;
}) {
  return (
    <details id="log" class="section">
      <summary>
        <h2>Log</h2>
        <span>{log.path}</span>
      </summary>
      <div class="row">
        <Choice
          name="level"
          label="Least level"
          value={level}
          options={LEVELS.map((level) => [level, `${level} and above`])}
        />
        <button type="submit" form="filter" class="plain">Apply level</button>
        <label class="follow">
          <input type="checkbox" id="follow" checked autocomplete="off" /> Follow
        </label>
      </div>
      <LogLines lines={log.lines} level={level} />
    </details>
  );
}

/** The lines alone. All are there; the style hides those below the level, so that another one is at once seen. */
export function LogLines({ lines, level }: {
  readonly lines: readonly LogLine[];
  readonly level: Level;
}) {
  return (
    <ol id="log-lines" class={`from-${level}`} tabindex={0} aria-label="Log lines">
      {lines.map((line) => <Line line={line} />)}
    </ol>
  );
}

/** Lines as they are appended to `log-lines`. */
export function renderLogLines(lines: readonly LogLine[]): string {
  return lines.map((line) => String(<Line line={line} />)).join("");
}

function Line({ line }: { readonly line: LogLine }) {
  const { at, level, text } = line;
  return (
    <li class={level}>
      {at !== null && <time>{stamp(at)}</time>} <b>{level}</b> {text}
    </li>
  );
}

/** Local date and time to the second, as `2026-11-25 14:03:07`. */
function stamp(at: number): string {
  const date = new Date(at);
  const pad = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ` +
    `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}
