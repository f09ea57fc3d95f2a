import { type Account, mayServe } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { Failure } from "../platform/failure.ts";
import { formatDuration } from "../platform/duration.ts";
import { PROGRAM } from "../platform/version.ts";
import { type Check, type Finding, type Look, ok, warning, wrong } from "./check.ts";
import { partsOf } from "./examination.ts";
import { lookAtStore, type See, type Seen } from "./look_only.ts";
import type { Surroundings } from "./surroundings.ts";

/** Renews the tokens of some accounts. Gives a sentence for each that could not be renewed. */
export type Renew = (accountIds: readonly string[]) => Promise<readonly string[]>;

/** How many accounts are named one by one while all is well. */
const NAMED = 8;

/** The accounts, and whether their tokens can go on. Nothing is sent; only `renew` spends a token. */
export function accountsCheck(
  surroundings: Surroundings,
  renew: Renew,
  see: See = (use) => lookAtStore(surroundings, use),
): Check {
  return {
    group: "Accounts",
    name: "accounts",
    limitMs: 30_000,
    async look() {
      try {
        return await see((seen) => look(seen, surroundings.clock.now(), renew));
      } catch (error) {
        // Why it cannot be read, and what mends that, is said of the file itself.
        if (!(error instanceof Failure)) throw error;
        const text = "The accounts cannot be seen until the store is mended.";
        return { findings: [warning("accounts", text, partsOf(error).fix)] };
      }
    },
  };
}

async function look({ store, snapshot }: Seen, now: number, renew: Renew): Promise<Look> {
  const last = store.files.accounts.last;
  if (last?.kind === "locked") {
    const text = "The store is locked, so they cannot be seen.";
    return { findings: [warning("accounts", text, partsOf(last.why).fix)] };
  }
  const { accounts, pin } = snapshot;
  if (accounts.length === 0) {
    const text = "There is no account, so there is nothing that could answer.";
    return { findings: [wrong("accounts", text, `Add one: ${PROGRAM} add personal`)] };
  }
  const stale = new Map<Finding, string>();
  const each: Finding[] = [];
  for (const account of accounts) {
    const spent = await store.openRefresh(account.id) !== account.generation
      ? undefined
      : await store.refreshRefused(account.id)
      ? "refused"
      : "cut off";
    const finding = about(account, spent, now);
    if (finding.mend !== undefined) stale.set(finding, account.id);
    each.push(finding);
  }
  const serving = accounts.filter(mayServe).length;
  const total = serving === 0
    ? wrong("accounts", "No account may serve.", "Bring one back with the fix that stands at it.")
    : ok("accounts", `${serving} of ${accounts.length} may serve.`);
  const pinned = pin && (pin.until === null || pin.until > now)
    ? accounts.find(({ id }) => id === pin.accountId)
    : undefined;
  const bound = pinned && !mayServe(pinned)
    ? [warning(
      "pin",
      `Everything is pinned to ${quoted(pinned)}, which does not serve.`,
      `Let go of it: ${PROGRAM} unpin`,
    )]
    : [];
  // A long list of healthy accounts would hide what is not well.
  const shown = each.length <= NAMED ? each : each.filter(({ state }) => state !== "ok");
  return {
    findings: [total, ...shown, ...bound],
    async mend(chosen) {
      const ids = chosen.flatMap((finding) => stale.get(finding) ?? []);
      return { failures: await renew(ids) };
    },
  };
}

function about(account: Account, spent: "refused" | "cut off" | undefined, now: number): Finding {
  const { alias, credentials, setAside, enabled, disabled } = account;
  const name = `account ${printable(alias)}`;
  const again = `${PROGRAM} add ${printable(alias)}`;
  const who = quoted(account);
  const left = credentials.expiresAt - now;
  const lives = left > 0
    ? `its token lives for another ${formatDuration(left)}`
    : `its token ended ${formatDuration(-left)} ago`;
  if (setAside?.reason === "needs login (refresh interrupted)") {
    return wrong(
      name,
      `${who} is set aside: its refresh was cut off, and its refresh token may be spent.`,
      `Sign in again: ${again} (or let the old token be tried once more: ${PROGRAM} restore ${
        printable(alias)
      })`,
    );
  }
  if (setAside?.reason === "needs login") {
    return wrong(
      name,
      `${who} needs login: the issuer takes its tokens no more.`,
      `Sign in: ${again}`,
    );
  }
  if (setAside !== undefined) {
    return warning(
      name,
      `${who} is set aside: ${setAside.reason}.`,
      `When that is over: ${PROGRAM} restore ${printable(alias)}`,
    );
  }
  if (!enabled) {
    const why = disabled?.reason === undefined ? "" : ` (${printable(disabled.reason)})`;
    return ok(name, `${who} is disabled by you${why}.`);
  }
  if (spent) {
    return warning(
      name,
      spent === "refused"
        ? `${who} gets no new tokens from the issuer any more; ${lives}.`
        : `A refresh of ${who} was cut off, and its refresh token may be spent; ${lives}.`,
      `Sign in again while there is time: ${again}`,
    );
  }
  if (left <= 0 && credentials.refreshToken !== "") {
    return warning(
      name,
      `${who}: ${lives}. The next request renews it.`,
      `Renew it now: ${PROGRAM} doctor --fix`,
      `Renew the tokens of ${who}?`,
    );
  }
  if (credentials.refreshToken === "") {
    return warning(name, `${who} has no refresh token; ${lives}.`, `Sign in: ${again}`);
  }
  return ok(name, `${who} may serve; ${lives}.`);
}

function quoted({ alias }: Account): string {
  return `"${printable(alias)}"`;
}
