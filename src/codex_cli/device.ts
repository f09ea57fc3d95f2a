/**
 * The contract of this device's Codex CLI: which account its `auth.json` holds, and changing that.
 *
 * @module
 */
import type { Account } from "../account/account.ts";

/** What the Codex CLI of this machine is signed in with. */
export interface DeviceState {
  /** The real `auth.json`. */
  readonly path: string;
  /** Where the Codex CLI keeps its login; only `file` can be switched, and `auto` may mean it. */
  readonly credentialStore: "file" | "keyring" | "auto" | "ephemeral";
  readonly content:
    /** There is no file. */
    | { readonly kind: "absent" }
    /** Codex does not look into the file: one that is there was left from before. */
    | { readonly kind: "elsewhere" }
    /** A login of a stored account. */
    | { readonly kind: "account"; readonly accountId: string }
    /** A login that is not in the store: removed before, or from elsewhere. */
    | {
      readonly kind: "stranger";
      readonly email?: string;
      readonly why: string;
      /** The same for programs: `sync` takes it over, takes it over with an alias only, or not at all. */
      readonly reason: "new" | "removed" | "refused";
    }
    | { readonly kind: "api key" }
    /** It cannot be read or understood. */
    | { readonly kind: "unreadable"; readonly why: string };
  /** When the file was last changed, epoch milliseconds; null when there is none. */
  readonly changedAt: number | null;
}

/** What `sync` did. */
export interface SyncOutcome {
  /**
   * Nothing to do, an account added under this alias, tokens taken over or (where Codex had spent
   * ones) given, or the login left alone.
   */
  readonly kind: "unchanged" | "added" | "updated" | "left";
  readonly alias?: string;
  /** One sentence for the person. */
  readonly text: string;
}

/** This device's Codex CLI. */
export interface Device {
  state(): Promise<DeviceState>;
  /**
   * Takes what `auth.json` holds into the store; a removed account does not come back, no two identities are merged.
   *
   * @param options.alias The person's name for a new account; with one, a removed account comes back.
   */
  sync(options?: { readonly alias?: string | undefined }): Promise<SyncOutcome>;
  /**
   * Writes an account into `auth.json` under Codex's own locks; unknown keys stay. What the file
   * holds is taken into the store before.
   *
   * @param options.overwrite Whether a login is given up that cannot be taken into the store.
   * @returns Whether a Codex runs that must be restarted to notice; true also where nobody can tell.
   * @throws {Failure} when the store is not the file, or it cannot be written.
   */
  switchTo(
    account: Account,
    options?: { readonly overwrite?: boolean },
  ): Promise<{ readonly codexRuns: boolean }>;
  /** Looks at the file that is there and at each change of it, and syncs; `onSync` hears what came of it. Ends with the returned function. */
  watch(onSync: (outcome: SyncOutcome) => void): () => void;
}
