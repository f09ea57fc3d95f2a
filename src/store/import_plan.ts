import type { Account } from "../account/account.ts";
import { freeAlias, printable } from "../account/alias.ts";
import { accountId } from "./admission.ts";
import { type Compared, compareTokens, differentSeats, sameSeat } from "./import_order.ts";
import type { Candidate, Refusal } from "./import_source.ts";

/** What becomes of one account of a file: `kept` means that ours stays as it is. */
export type ImportAction = "add" | "update" | "unchanged" | "kept" | "refused";

/** One line of the plan. */
export interface ImportRow {
  /** Under which alias it is or will be stored here; for a refused one what the file calls it. */
  readonly alias: string;
  readonly email?: string;
  readonly action: ImportAction;
  /** Why, in a few words; empty when the action says it all. */
  readonly why: string;
  /** What is to be stored; for an update under the id that the account has here. */
  readonly account?: Account;
}

/** What the plan is made against. */
export interface Existing {
  readonly accounts: readonly Account[];
  /** Aliases in use, those of entries that are no accounts included. */
  readonly aliases: readonly string[];
  /** Whether this machine knows that an account's refresh token may be consumed. */
  readonly consumed: (account: Account) => boolean;
  /** Whether an account stays away because the person removed it. */
  readonly dismissed: (account: Account) => boolean;
  /** Alias for the file's only account, if the person named one. */
  readonly alias?: string | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Decides for each account of a file what becomes of it. Changes nothing. */
export function planImport(
  items: readonly (Candidate | Refusal)[],
  existing: Existing,
): ImportRow[] {
  const aliases = new Set(existing.aliases);
  const ids = new Set(existing.accounts.map(({ id }) => id));
  const here = existing.accounts.map((account): Compared => ({ account, ours: true }));
  const candidates = items.filter((item) => "account" in item);
  return items.map((item): ImportRow => {
    if (!("account" in item)) {
      const { alias = "(no name)", why, email } = item;
      return { alias, action: "refused", why, ...mailOf(email) };
    }
    const { account } = item;
    const wanted = existing.alias ?? item.alias ?? freeAlias(account.email ?? "codex@", aliases);
    const row = (action: ImportAction, why: string, alias = wanted): ImportRow => ({
      alias,
      ...mailOf(account.email),
      action,
      why,
    });
    const newer = betterTwin(item, candidates);
    if (newer) return row("refused", `the same account as ${nameOf(newer)} in this file`);
    const known = here.find((one) => sameSeat(one, item));
    if (known) {
      const [action, why] = judge(known, item, existing);
      const { alias, id } = known.account;
      const decided = row(action, why, alias);
      return action === "update" ? { ...decided, account: { ...account, alias, id } } : decided;
    }
    if (existing.dismissed(account)) return row("refused", DISMISSED);
    const id = freeId(item, wanted, ids);
    if (existing.consumed({ ...account, id })) return row("refused", CONSUMED);
    const namesake = existing.accounts.find(({ alias }) => alias === wanted);
    if (namesake && !differentSeats(namesake, account)) {
      return row(
        "refused",
        `its tokens do not say whether it is the "${printable(wanted)}" that is here; ` +
          "sign in again, or name it with --alias",
      );
    }
    if (existing.alias !== undefined && aliases.has(wanted)) {
      return row("refused", `"${printable(wanted)}" is another account here; choose another alias`);
    }
    const alias = unused(wanted, aliases);
    aliases.add(alias);
    ids.add(id);
    const added: Account = {
      ...account,
      id,
      alias,
      generation: Math.max(1, account.generation),
      addedAt: account.addedAt ?? existing.now,
    };
    const why = alias === wanted ? "" : `"${printable(wanted)}" is another account here`;
    return { ...row("add", why, alias), account: added };
  });
}

/** Why an account does not come back that the person removed. */
export const DISMISSED = "it was removed here";

const CONSUMED = "its refresh token was replaced by a newer one before and must not be used again";

/** What becomes of tokens for a seat that is here already. */
function judge(
  known: Compared,
  item: Candidate,
  { consumed }: Existing,
): readonly [ImportAction, string] {
  const { account } = item;
  if (known.account.credentials.refreshToken === account.credentials.refreshToken) {
    return ["unchanged", "the same tokens are here"];
  }
  if (consumed({ ...account, id: known.account.id })) return ["refused", CONSUMED];
  const order = compareTokens(known, item);
  if (order < 0) return ["kept", "the tokens here are newer"];
  if (order === 0) return ["kept", "nothing says that its tokens are newer than those here"];
  const { setAside } = account;
  if (setAside !== undefined && setAside.reason !== "workspace deactivated") {
    return ["kept", `it was set aside there: ${setAside.reason}`];
  }
  return ["update", "its tokens are newer"];
}

/** The entry of the same file that stands for the same seat and is to be taken instead. */
function betterTwin(item: Candidate, all: readonly Candidate[]): Candidate | undefined {
  const own = all.indexOf(item);
  return all.find((other, index) => {
    if (index === own || !sameSeat(item, other)) return false;
    const order = compareTokens(item, other);
    return order > 0 || (order === 0 && index < own);
  });
}

function nameOf({ alias, account }: Candidate): string {
  return `"${printable(alias ?? account.email ?? "another")}"`;
}

/** The id that this program gave it, if nobody has it here; else one that follows from what it is. */
function freeId({ account, ours }: Candidate, alias: string, ids: ReadonlySet<string>): string {
  let id = ours ? account.id : accountId(account.identity, alias);
  while (ids.has(id)) id = accountId(undefined, `${alias}/${id}`);
  return id;
}

function unused(wanted: string, aliases: ReadonlySet<string>): string {
  let alias = wanted;
  for (let number = 2; aliases.has(alias); number++) alias = `${wanted}-${number}`;
  return alias;
}

function mailOf(email: string | undefined): { readonly email?: string } {
  return email === undefined ? {} : { email };
}
