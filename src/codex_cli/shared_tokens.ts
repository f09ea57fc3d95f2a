/**
 * One login, two programs: the Codex CLI renews tokens behind our back and we behind its. Refresh
 * tokens are single use, so whoever was slower must learn the new ones before it needs them.
 *
 * @module
 */
import type { Account, Credentials } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import type { Clock } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import { type FileSystem, systemFiles } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import type { Environment } from "../platform/paths.ts";
import { mayBeConsumed } from "../store/consumed.ts";
import { compareTokens, sameSeat } from "../store/import_order.ts";
import type { LocalStore } from "../store/local.ts";
import { changeAuthFile } from "./auth_change.ts";
import { withLogin } from "./auth_content.ts";
import { type AuthReading, readWholeAuthFile } from "./auth_file.ts";
import { type Lock, lockWithPrograms } from "./auth_lock.ts";
import { authPath } from "./codex_home.ts";
import { loginIn } from "./login_in.ts";

/** Where a login that is shared with the Codex CLI is found. */
export interface SharedOptions {
  readonly store: LocalStore;
  readonly env: Environment;
  /** Our issuer, without a slash at the end. */
  readonly issuer: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** Is told what the person should know, in one sentence. */
  readonly notice?: (message: string) => void;
  readonly files?: FileSystem;
  readonly lock?: Lock;
}

/** What the refresh transaction and `auth.json` owe each other. */
export interface SharedTokens {
  /** Newer credentials of this account, if `auth.json` holds them. Never throws. */
  adopt(account: Account): Promise<Credentials | undefined>;
  /**
   * Puts this account's tokens into `auth.json` where that still holds some of this account that
   * are spent. Whatever else stands there is left alone. Never throws: what cannot be written now
   * is written by the next {@linkcode SharedTokens.heal}.
   *
   * @returns Whether something was written.
   */
  give(account: Account): Promise<boolean>;
  /**
   * The same for whichever account it is: a process may have died between saving and giving.
   *
   * @param accounts All that are stored; one that was renewed since is looked up.
   * @returns The account whose tokens were written.
   */
  heal(accounts: readonly Account[]): Promise<Account | undefined>;
}

/** Shares tokens with the Codex CLI of this machine. */
export function sharedTokens(options: SharedOptions): SharedTokens {
  const { store, env, issuer, clock, random, log, files = systemFiles } = options;
  const path = authPath(env);
  const lock = options.lock ?? lockWithPrograms(env);
  const read = () => readWholeAuthFile(path, { files, clock });

  /** The login of a file as an account under this account's id, if it is the same seat. */
  const loginOf = (reading: AuthReading, account: Account): Account | undefined => {
    if (reading.kind !== "read") return undefined;
    const login = loginIn(reading.json, { issuer, now: clock.now() });
    if ("why" in login) return undefined;
    const same = sameSeat({ account, ours: true }, { account: login, ours: false });
    return same ? { ...login, id: account.id } : undefined;
  };

  const sameToken = (a: Account, b: Account) =>
    a.credentials.refreshToken === b.credentials.refreshToken;

  /** Whether a file holds spent tokens of this account. */
  const isBehind = async (reading: AuthReading, account: Account): Promise<boolean> => {
    const login = loginOf(reading, account);
    return login !== undefined && !sameToken(login, account) && await mayBeConsumed(store, login);
  };

  const give = async (account: Account): Promise<boolean> => {
    try {
      // Without a lock first: mostly there is nothing to do, or no Codex at all.
      if (!await isBehind(await read(), account)) return false;
      const written = await changeAuthFile(
        { path, files, clock, random, lock },
        async (reading) =>
          reading.kind === "read" && await isBehind(reading, account)
            ? withLogin(reading.json, account, { issuer, sameSeat: true, now: clock.now() })
            : undefined,
      );
      if (written) log.info(`${account.alias}: the Codex CLI has the new tokens too`);
      return written;
    } catch (error) {
      log.error(`${account.alias}: the Codex CLI did not get the new tokens: ${messageOf(error)}`);
      options.notice?.(
        `The Codex CLI did not get the new tokens of ${printable(account.alias)}: ${
          messageOf(error)
        } They are safe here: opencode-multi-auth sync`,
      );
      return false;
    }
  };

  return {
    async adopt(account) {
      try {
        const login = loginOf(await read(), account);
        if (!login || sameToken(login, account)) return undefined;
        const newer = compareTokens(
          { account, ours: true },
          { account: login, ours: false },
        ) > 0;
        if (!newer || await mayBeConsumed(store, login)) return undefined;
        log.info(`${account.alias}: takes the tokens that the Codex CLI has renewed`);
        return login.credentials;
      } catch (error) {
        log.warn(`${path}: ${messageOf(error)}`);
        return undefined;
      }
    },
    give,
    async heal(accounts) {
      const reading = await read();
      const known = accounts.find((one) => loginOf(reading, one) !== undefined);
      const account = known && store.files.account(known.id);
      // An account that needs a login has nothing better to give.
      if (!account || account.setAside) return undefined;
      return await give(account) ? account : undefined;
    },
  };
}
