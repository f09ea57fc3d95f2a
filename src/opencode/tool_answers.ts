import { mayServe } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import type { Client } from "../codex/client.ts";
import { parseDuration } from "../platform/duration.ts";
import { asObject, asText } from "../platform/json.ts";
import { PROGRAM } from "../platform/version.ts";
import { accountViews, clockTime, servingId, viewText } from "./account_view.ts";

/** What a tool needs to answer. */
export interface ToolSurroundings {
  readonly open: () => Promise<Client>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Words that end a pin. */
const UNPIN = /^(?:|none|off|unpin|auto)$/i;

/**
 * What the tool `accounts` says: every account with what is left of its
 * limits, and which one serves this session. Without email addresses: a session
 * may be shared.
 *
 * @param session The session that asks.
 */
export async function accountsAnswer(
  session: string | undefined,
  { open, now }: ToolSurroundings,
): Promise<string> {
  const { store, pool } = await open();
  const snapshot = await pool.snapshot();
  if (snapshot.locked) return `The account store is locked. In a terminal: ${PROGRAM} status`;
  if (snapshot.accounts.length === 0) {
    return `There are no ChatGPT accounts yet. In a terminal: ${PROGRAM} add <alias>`;
  }
  const at = now();
  const home = session === undefined ? undefined : await store.affinity(session);
  const serving = servingId(snapshot, home?.accountId, at);
  const views = accountViews(snapshot, at);
  const alias = (id: string | undefined) => views.find((view) => view.id === id)?.alias;
  const { pin } = snapshot;
  const pinned = pin && (pin.until === null || pin.until > at) ? alias(pin.accountId) : undefined;
  return [
    `This session is served by: ${alias(serving) ?? "nobody yet"}`,
    ...(pinned === undefined ? [] : [
      `Pinned: ${pinned} ${
        pin?.until ? `until ${clockTime(pin.until, at)}` : "until it is unpinned"
      }`,
    ]),
    ...views.map((view) =>
      `- ${view.alias}${view.plan === undefined ? "" : ` (${view.plan})`}${
        view.id === serving ? ", serves this session" : ""
      }: ${viewText(view, at)}`
    ),
  ].join("\n");
}

/**
 * Does what the tool `pin` is asked for.
 *
 * @param args `account` is an alias, or `none` to unpin; `for` a span such as `2h`, or empty.
 */
export async function pinAnswer(
  args: unknown,
  { open, now }: ToolSurroundings,
): Promise<string> {
  const name = (asText(asObject(args)?.["account"]) ?? "").trim();
  const span = (asText(asObject(args)?.["for"]) ?? "").trim();
  const { pool } = await open();
  const { accounts, pin, locked } = await pool.snapshot();
  if (locked) return `Nothing was changed: the account store is locked.`;
  if (UNPIN.test(name)) {
    if (!pin) return "No account was pinned.";
    await pool.pin(null);
    return "Unpinned: accounts are chosen by the strategy again.";
  }
  const account = accounts.find(({ alias }) => alias === name);
  if (!account) {
    const known = accounts.map(({ alias }) => printable(alias)).join(", ");
    return `Nothing was changed: there is no account "${printable(name)}". Accounts: ${known}.`;
  }
  const alias = printable(account.alias);
  if (!mayServe(account)) {
    return `Nothing was changed: ${alias} cannot serve (${
      account.setAside?.reason ?? "disabled"
    }).`;
  }
  const ms = span === "" ? undefined : parseDuration(span);
  if (span !== "" && ms === undefined) {
    return `Nothing was changed: "${printable(span)}" is not a span of time. Write 30m, 2h or 1d.`;
  }
  const until = ms === undefined ? null : now() + ms;
  await pool.pin({ accountId: account.id, until });
  return `Pinned: ${alias} serves everything it can ${
    until === null ? "until it is unpinned" : `until ${clockTime(until, now())}`
  }, from the next request on.`;
}
