import type { Account, Credentials, SetAsideReason } from "../account/account.ts";
import { isOlder, isRenewed } from "../account/account.ts";
import { type Clock, sleep } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import type { Lease, Store } from "../store/store.ts";
import type { RefreshResult } from "./refresh.ts";

/** How a refresh ended for the one who asked. */
export type RefreshOutcome =
  /** New credentials, by our own exchange or somebody else's. */
  | { readonly kind: "fresh"; readonly account: Account }
  /** No new credentials, but the access token still lives. */
  | { readonly kind: "kept"; readonly account: Account; readonly why?: string }
  /** The account cannot go on until the person signs in again. */
  | { readonly kind: "set aside"; readonly account: Account }
  /** Trouble on the way, worth another try later; `why` is a sentence for the person, with the fix if there is one. */
  | { readonly kind: "failed"; readonly retryAt: number; readonly why?: string }
  /** The account was removed meanwhile. */
  | { readonly kind: "gone" };

/** One refresh at a time, over all processes of the machine. */
export interface Refresher {
  /**
   * Renews an account's credentials, or adopts those that somebody else has
   * renewed meanwhile. Callers that ask for the same account at once share one
   * exchange. Never throws for what the issuer or the network does.
   *
   * @param account As the caller knows it; its generation tells what is already newer.
   * @param rejected The backend has just refused the access token, so it counts as dead.
   */
  refresh(account: Account, rejected: boolean): Promise<RefreshOutcome>;
  /** Resolves when no refresh of this process is under way; a process waits for it before it ends. */
  settled(): Promise<void>;
}

/** The lease that makes all refreshes of one machine take turns. */
const LANE = "refresh";
/** Longer than the exchange may take, so that a lease never ends under a living holder. */
const LEASE_MS = 60_000;
/** Pause between two looks at a busy lane, in milliseconds, before jitter. */
const POLL_MS = 120;
/** How long one caller waits for its turn, in milliseconds. */
const PATIENCE_MS = 90_000;
/** Pause after a transient error that names none, in milliseconds. */
const RETRY_MS = 15_000;

/**
 * Refreshing as a transaction: a lease so that one process refreshes at a time,
 * a second look so that nobody sends a token that was just renewed, a note on
 * disk before the request leaves, and the new tokens on disk before their use.
 * After a crash in between, the note says that the old token may be consumed,
 * and it is never sent again.
 *
 * @param options.exchange Sends the refresh token; see `exchangeRefreshToken`.
 * @param options.adopt Asks elsewhere for newer credentials of the same account, such as the Codex CLI's file.
 * @param options.renewed Hands new credentials that are saved to whoever else holds the account; what it throws is logged.
 * @param options.gapMs Pause between two refreshes of the lane, jitter included, in milliseconds.
 * @param options.notice Is told what a person should know, in one sentence.
 * @param options.onSetAside Hears of an account that needs its person.
 */
export function createRefresher(options: {
  store: Store;
  clock: Clock;
  random: () => number;
  exchange: (account: Account) => Promise<RefreshResult>;
  adopt?: (account: Account) => Promise<Credentials | undefined>;
  renewed?: (account: Account) => Promise<unknown>;
  gapMs: () => number;
  log: Log;
  notice?: (message: string) => void;
  onSetAside?: (account: Account) => void;
}): Refresher {
  const { store, clock, random, log } = options;
  const running = new Map<string, Promise<RefreshOutcome>>();
  const finishing = new Set<Promise<void>>();
  const retryAt = new Map<string, { generation: number; at: number; why: string }>();
  /** What the person was told of a store that cannot be written: once is enough. */
  const told = new Set<string>();

  const current = async (id: string): Promise<Account | undefined> =>
    (await store.load()).accounts.find((account) => account.id === id);

  const alive = (account: Account) => account.credentials.expiresAt > clock.now();

  async function setAside(account: Account, reason: SetAsideReason): Promise<RefreshOutcome> {
    const marked = await store.edit(
      account.id,
      (now) => !isRenewed(account, now) ? { ...now, setAside: { at: clock.now(), reason } } : now,
    );
    if (!marked) return { kind: "gone" };
    if (!marked.setAside) return { kind: "fresh", account: marked };
    log.warn(`${account.alias}: set aside, ${reason}`);
    options.onSetAside?.(marked);
    options.notice?.(`${account.alias} ${reason}: opencode-multi-auth add ${account.alias}`);
    const { setAside } = marked;
    const mine = isOlder(marked, account) ? { ...account, setAside } : marked;
    return { kind: "set aside", account: mine };
  }

  /** Trouble that says nothing about the tokens: the access token serves while it lives. */
  function unchanged(account: Account, rejected: boolean, why: string, at?: number) {
    return !rejected && alive(account)
      ? { kind: "kept", account, why } as const
      : { kind: "failed", retryAt: at ?? clock.now() + RETRY_MS, why } as const;
  }

  /** No new tokens to be had: the old access token serves while it lives. */
  function without(account: Account, rejected: boolean, reason: SetAsideReason) {
    if (!rejected && alive(account)) return { kind: "kept", account } as const;
    return setAside(account, reason);
  }

  /** Waits for the lane; ends early when somebody else has renewed this account meanwhile. */
  async function takeLane(account: Account): Promise<Lease | Account | undefined> {
    const end = clock.now() + PATIENCE_MS;
    for (;;) {
      const lease = await store.lease(LANE, LEASE_MS);
      if (lease) return lease;
      if (clock.now() >= end) return undefined;
      await sleep(clock, POLL_MS * (0.5 + random()));
      if (!store.changed()) continue;
      const now = await current(account.id);
      if (now && isRenewed(account, now)) return now;
    }
  }

  /** Takes newer credentials from elsewhere into the store, if there are any. */
  async function adopt(account: Account): Promise<Account | undefined> {
    const credentials = await options.adopt?.(account);
    return credentials &&
      await store.swapCredentials(account.id, account.generation, credentials);
  }

  async function exchange(known: Account, rejected: boolean): Promise<RefreshOutcome> {
    const adopted = await adopt(known);
    if (adopted && alive(adopted)) return { kind: "fresh", account: adopted };
    // Adopted tokens may have ended too; then they are the ones to renew, not those they replaced.
    const account = adopted ?? known;
    const open = await store.openRefresh(account.id);
    if (open === account.generation) {
      const refused = await store.refreshRefused(account.id);
      const reason = refused ? "needs login" : "needs login (refresh interrupted)";
      return await without(account, rejected, reason);
    }
    await store.beginRefresh(account.id, account.generation);
    const result = await options.exchange(account);
    switch (result.kind) {
      case "renewed":
        return await save(account, result);
      case "permanent": {
        // Somebody outside this store may have been faster; then what they saved is newer.
        const now = await current(account.id);
        if (!now) return { kind: "gone" };
        if (isRenewed(account, now)) return { kind: "fresh", account: now };
        const winner = await adopt(account);
        if (winner) {
          return alive(winner)
            ? { kind: "fresh", account: winner }
            : await exchange(winner, rejected);
        }
        log.warn(`${account.alias}: the issuer refuses the refresh token (${result.code})`);
        // Before anything else: whoever meets this account from now on does not send the token again.
        await store.refuseRefresh(account);
        if (!rejected && alive(account)) {
          options.notice?.(
            `${account.alias} is refused new tokens and serves until its present one ends: ` +
              `opencode-multi-auth add ${account.alias}`,
          );
        }
        return await without(account, rejected, "needs login");
      }
      case "transient":
      case "not sent": {
        await store.endRefresh(account.id);
        const wait = (result.kind === "transient" ? result.retryAfterMs : undefined) ?? RETRY_MS;
        const at = clock.now() + wait;
        const why = describe(result);
        retryAt.set(account.id, { generation: account.generation, at, why });
        log.warn(`${account.alias}: refresh failed for now. ${why}`);
        return unchanged(account, rejected, why, at);
      }
      case "unknown":
        // The note stays: the token may be consumed.
        log.warn(`${account.alias}: a refresh was cut off, its token may be consumed`);
        return await without(account, rejected, "needs login (refresh interrupted)");
    }
  }

  async function save(
    account: Account,
    renewed: Extract<RefreshResult, { kind: "renewed" }>,
  ): Promise<RefreshOutcome> {
    const change = (now: Account): Account => ({
      ...now,
      ...(renewed.identity === undefined ? {} : { identity: renewed.identity }),
      ...(renewed.email === undefined ? {} : { email: renewed.email }),
      ...(renewed.plan === undefined ? {} : { plan: renewed.plan }),
      refreshedAt: clock.now(),
    });
    const swap = [account.id, account.generation, renewed.credentials, change] as const;
    let saved: Account | undefined;
    try {
      saved = await store.swapCredentials(...swap);
    } catch (error) {
      // The only copy of the new tokens is here now. They serve from memory while the store
      // tries again to save them; the note on disk guards against a crash.
      const why = messageOf(error);
      log.error(`${account.alias}: new tokens could not be saved, trying again: ${why}`);
      options.notice?.(
        `New tokens of ${account.alias} could not be saved (${why}); keep OpenCode running.`,
      );
      void store.keepCredentials(...swap).then((saved) => {
        if (!saved) return;
        log.info(`${account.alias}: new tokens are saved`);
        const finished = finish(saved).finally(() => finishing.delete(finished));
        finishing.add(finished);
      });
      const { setAside: _lifted, ...rest } = change(account);
      return {
        kind: "fresh",
        account: { ...rest, credentials: renewed.credentials, generation: account.generation + 1 },
      };
    }
    // In the lane still, so that nobody else uses the new tokens before.
    if (saved) await finish(saved);
    const now = saved ?? await current(account.id);
    return now ? { kind: "fresh", account: now } : { kind: "gone" };
  }

  /** The new tokens are safe; whatever fails from here on costs none. */
  async function finish(account: Account): Promise<void> {
    try {
      await store.endRefresh(account.id);
      await options.renewed?.(account);
    } catch (error) {
      log.error(`${account.alias}: new tokens could not be handed on: ${messageOf(error)}`);
    }
  }

  async function transaction(account: Account, rejected: boolean): Promise<RefreshOutcome> {
    const lane = await takeLane(account);
    if (lane === undefined) {
      return unchanged(account, rejected, "Another process has been renewing tokens for too long.");
    }
    if (!("release" in lane)) return { kind: "fresh", account: lane };
    let pause = 0;
    try {
      let now = await current(account.id);
      if (now && isOlder(now, account)) {
        // Unsaved tokens first: a note about them would replace the one by which nobody sends those in the file.
        await store.flush();
        now = await current(account.id);
      }
      if (!now) return { kind: "gone" };
      if (isRenewed(account, now)) return { kind: "fresh", account: now };
      // What is in the file of a restored backup is spent as well.
      const ours = isOlder(now, account);
      if (now.setAside && !ours) return { kind: "set aside", account: now };
      pause = options.gapMs() * (0.5 + random() / 2);
      return await exchange(ours ? account : now, rejected);
    } finally {
      await lane.release(pause);
    }
  }

  return {
    refresh(account, rejected) {
      const wait = retryAt.get(account.id);
      if (wait && wait.generation === account.generation && wait.at > clock.now()) {
        return Promise.resolve(unchanged(account, rejected, wait.why, wait.at));
      }
      // A rejected token needs another answer than one that is merely old.
      const key = `${rejected} ${account.id}`;
      let shared = running.get(key);
      if (!shared) {
        shared = transaction(account, rejected)
          .catch((error): RefreshOutcome => {
            // Without a note on disk nothing is sent: mostly the disk is full or read-only.
            const why = messageOf(error);
            log.error(`${account.alias}: refresh failed: ${why}`);
            if (!told.has(why)) options.notice?.(`Tokens cannot be renewed. ${why}`);
            told.add(why);
            return unchanged(account, rejected, why);
          })
          .finally(() => running.delete(key));
        running.set(key, shared);
      }
      return shared;
    },
    settled: async () => void await Promise.all([...running.values(), ...finishing]),
  };
}

function describe(result: Extract<RefreshResult, { kind: "transient" | "not sent" }>): string {
  return result.kind === "not sent"
    ? `The issuer cannot be reached (${result.cause}).`
    : `The issuer gives no tokens for now (${result.code ?? "no reason given"}).`;
}
