/**
 * What a person decides about an account, at the command line or on the dashboard.
 *
 * @module
 */
import { type Account, mayServe } from "../account/account.ts";
import { checkAlias, printable } from "../account/alias.ts";
import { Failure } from "../platform/failure.ts";
import { accountSubject, type Block, workspaceSubject } from "../quota/block.ts";
import type { Snapshot, Store } from "./store.ts";

/** Lets a disabled account serve again. Returns whether it was disabled. */
export async function enableAccount(store: Store, account: Account): Promise<boolean> {
  if (account.enabled) return false;
  await store.edit(account.id, ({ disabled: _disabled, ...rest }) => ({ ...rest, enabled: true }));
  return true;
}

/**
 * Takes an account out of the rotation; its tokens stay. The moment and the reason of an earlier time
 * stay, unless there is a new reason.
 *
 * @param now Epoch milliseconds.
 */
export async function disableAccount(
  store: Store,
  accountId: string,
  now: number,
  reason?: string,
): Promise<void> {
  await store.edit(accountId, (account) => {
    const at = account.disabled?.at ?? now;
    const why = reason ?? account.disabled?.reason;
    return {
      ...account,
      enabled: false,
      disabled: why === undefined ? { at } : { at, reason: why },
    };
  });
}

/**
 * Sends every request to one account.
 *
 * @param until Epoch milliseconds; null = until unpinned.
 * @throws {Failure} when it may not serve.
 */
export async function pinAccount(
  store: Store,
  account: Account,
  until: number | null,
): Promise<void> {
  if (!mayServe(account)) {
    const name = printable(account.alias);
    throw new Failure(
      `Account "${name}" cannot serve: ${account.setAside?.reason ?? "disabled"}.`,
      account.setAside
        ? `Sign in: opencode-multi-auth add ${name}`
        : `First: opencode-multi-auth enable ${name}`,
    );
  }
  await store.setPin({ accountId: account.id, until });
}

/**
 * Tries an account again that was set aside or blocked, on the person's word.
 *
 * @param now Epoch milliseconds.
 * @returns What was lifted, in a few words each.
 */
export async function restoreAccount(
  store: Store,
  account: Account,
  { blocks }: Snapshot,
  now: number,
): Promise<string[]> {
  const own = blocksOf(account, blocks, now);
  if (account.setAside) {
    await store.endRefresh(account.id);
    await store.edit(account.id, ({ setAside: _setAside, ...rest }) => rest);
  }
  // Evidence from this very moment is older than the person's word.
  for (const block of own) await store.unblock(block, now + 1);
  return [
    ...(account.setAside ? [account.setAside.reason] : []),
    ...own.map(({ reason, model }) => model === "" ? reason : `${reason} (${model})`),
  ];
}

/** The blocks in force on an account or its workspace, for all models and for single ones. */
export function blocksOf(account: Account, blocks: readonly Block[], now: number): Block[] {
  const subjects = [accountSubject(account.id)];
  if (account.identity) subjects.push(workspaceSubject(account.identity.workspaceId));
  return blocks.filter((block) => block.until > now && subjects.includes(block.subject));
}

/**
 * Gives an account another name. What is known about it stays with it.
 *
 * @throws {Failure} when the name breaks the rule for aliases or is taken.
 */
export async function renameAccount(store: Store, account: Account, alias: string): Promise<void> {
  if (alias === account.alias) return;
  checkAlias(alias);
  await store.edit(account.id, (now) => ({ ...now, alias }));
}

/** Tags as a person types them: between commas, each once, without empty ones. */
export function readTags(text: string): string[] {
  return [...new Set(text.split(",").map((tag) => tag.trim()).filter((tag) => tag !== ""))];
}

/** Sets what a person has written about an account. */
export async function describeAccount(
  store: Store,
  accountId: string,
  tags: readonly string[],
  notes: string,
): Promise<void> {
  await store.edit(accountId, (account) => ({ ...account, tags, notes }));
}
