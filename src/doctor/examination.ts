import type { Clock } from "../platform/clock.ts";
import { Failure, messageOf, notPermitted } from "../platform/failure.ts";
import { redact } from "../platform/redaction.ts";
import { type Check, type Finding, LIMIT_MS, type Look, warning, wrong } from "./check.ts";

/** What helps where nothing better is known. */
export const AGAIN = "Run it again; if it stays so, look by hand.";

/** A finding, where it stands, and whether it was mended. */
export interface Result extends Finding {
  readonly group: string;
  /** Set when it was mended just now. */
  readonly fixed?: true;
}

/** What all checks found, in their order. */
export interface Examination {
  readonly results: readonly Result[];
  /** The checks behind them, for mending. */
  readonly looks: readonly { readonly check: Check; readonly look: Look }[];
}

/** Makes every look, all at once. A check that throws or takes too long says so and hides no other. */
export async function examine(checks: readonly Check[], clock: Clock): Promise<Examination> {
  const looks = await Promise.all(
    checks.map(async (check) => ({ check, look: await lookWithin(check, clock) })),
  );
  const results = looks.flatMap(({ check: { group }, look }) =>
    look.findings.map((finding) => ({ group, ...finding }))
  );
  return { results: saidOnce(unseenOnce(results)), looks };
}

/** Several looks may fail for one reason; the first one says it. */
function saidOnce(results: readonly Result[]): readonly Result[] {
  const said = new Set<string>();
  return results.filter(({ state, text, fix, mend }) => {
    if (state !== "wrong" || mend !== undefined) return true;
    const what = `${text}\n${fix}`;
    return !said.has(what) && said.add(what);
  });
}

/** What there was no permission to look at, in one line: it says nothing about the set-up. */
function unseenOnce(results: readonly Result[]): readonly Result[] {
  const unseen = results.filter(({ state }) => state === "unseen");
  if (unseen.length === 0) return results;
  const groups = [...new Set(unseen.map(({ group }) => group))].map((group) => {
    const names = unseen.filter((one) => one.group === group).map(({ name }) => name);
    return `${group} (${names.join(", ")})`;
  });
  return [...results.filter(({ state }) => state !== "unseen"), {
    group: "Permissions",
    name: "permissions",
    state: "unseen",
    text: `Deno was not permitted to look at ${groups.join(", ")}.`,
    fix: "Permit everything: deno run -A",
  }];
}

/** What mending came to. */
export interface Mending {
  readonly backups: readonly string[];
  readonly failures: readonly string[];
}

/**
 * Mends findings, one check after the other. One that fails keeps no other from being mended.
 *
 * @param chosen Whether a finding is to be mended.
 */
export async function mendFindings(
  { looks }: Examination,
  chosen: (finding: Finding) => boolean,
): Promise<Mending> {
  const backups: string[] = [];
  const failures: string[] = [];
  for (const { look } of looks) {
    const wanted = look.findings.filter((finding) => finding.mend !== undefined && chosen(finding));
    if (wanted.length === 0 || look.mend === undefined) continue;
    try {
      const mended = await look.mend(wanted);
      backups.push(...mended.backups ?? []);
      failures.push(...mended.failures ?? []);
    } catch (error) {
      failures.push(redact(messageOf(error)));
    }
  }
  return { backups, failures };
}

/**
 * The results after mending: what was mended and is well now is marked, also where nothing is left
 * that would be said about it.
 */
export function afterMending(
  before: Examination["looks"],
  after: readonly Result[],
  chosen: ReadonlySet<Finding>,
): readonly Result[] {
  const key = ({ group, name }: { group: string; name: string }) => `${group}\n${name}`;
  const cured = new Map<string, Result>();
  for (const { check: { group }, look } of before) {
    for (const finding of look.findings) {
      // What was wrong for the same reason is well again without a fix of its own.
      if (chosen.has(finding) || finding.state === "wrong") {
        cured.set(key({ group, name: finding.name }), { group, ...finding });
      }
    }
  }
  for (const result of after) if (result.state !== "ok") cured.delete(key(result));
  const marked = after.map((result): Result =>
    cured.delete(key(result)) ? { ...result, fixed: true } : result
  );
  const names = new Set([...chosen].map(({ name }) => name));
  const gone = [...cured.values()].filter(({ name }) => names.has(name)).map((
    { group, name, text },
  ): Result => ({
    group,
    name,
    state: "ok",
    text: `Before: ${text}`,
    fixed: true,
  }));
  const groups = [...new Set([...after, ...gone].map(({ group }) => group))];
  return groups.flatMap((group) => [...marked, ...gone].filter((one) => one.group === group));
}

async function lookWithin(check: Check, clock: Clock): Promise<Look> {
  const { name, limitMs = LIMIT_MS } = check;
  const ended = new AbortController();
  let cancel = () => {};
  const late = new Promise<Look>((resolve) => {
    cancel = clock.after(limitMs, () => {
      ended.abort();
      const text = `This could not be looked at within ${limitMs / 1_000} s.`;
      resolve({ findings: [warning(name, text, AGAIN)] });
    });
  });
  try {
    return await Promise.race([
      Promise.resolve().then(() => check.look(ended.signal)).catch((error) => failed(name, error)),
      late,
    ]);
  } finally {
    cancel();
  }
}

/** What a check that threw has to say. */
export function failed(name: string, error: unknown): Look {
  if (notPermitted(error)) {
    return { findings: [{ name, state: "unseen", text: redact(messageOf(error)) }] };
  }
  if (!(error instanceof Failure)) {
    return { findings: [wrong(name, `This look failed: ${redact(messageOf(error))}`, AGAIN)] };
  }
  const { text, fix } = partsOf(error);
  return { findings: [wrong(name, text, fix)] };
}

/** A failure's sentence and its fix, each by itself. */
export function partsOf({ message, fix = AGAIN }: Failure): { text: string; fix: string } {
  const text = message.endsWith(` ${fix}`) ? message.slice(0, -fix.length - 1) : message;
  return { text: redact(text), fix };
}
