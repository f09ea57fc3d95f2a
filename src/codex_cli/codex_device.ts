import type { Account } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { Failure, messageOf } from "../platform/failure.ts";
import { type FileSystem, systemFiles } from "../platform/files.ts";
import { type Log, silentLog } from "../platform/log.ts";
import { asObject, type JsonObject } from "../platform/json.ts";
import type { Environment } from "../platform/paths.ts";
import { PROGRAM } from "../platform/version.ts";
import type { LocalStore } from "../store/local.ts";
import { changeAuthFile } from "./auth_change.ts";
import { withLogin } from "./auth_content.ts";
import { type AuthReading, readWholeAuthFile } from "./auth_file.ts";
import { type Lock, lockWithPrograms } from "./auth_lock.ts";
import { authPath, codexHome } from "./codex_home.ts";
import { credentialStore, STORE_SETTING, toUseFile, usesFile } from "./credential_store.ts";
import type { Device, DeviceState, SyncOutcome } from "./device.ts";
import { contentOf, holderOf } from "./holder.ts";
import { type FindCodex, findCodex } from "./running_codex.ts";
import { sharedTokens } from "./shared_tokens.ts";
import { syncReading } from "./sync_reading.ts";
import { watchAuth, type WatchFolder, watchFolder } from "./watch_auth.ts";

/** What this device's Codex CLI is looked at with; all but the first three have the obvious defaults. */
export interface DeviceOptions {
  readonly store: LocalStore;
  readonly env: Environment;
  /** Our issuer, without a slash at the end. */
  readonly issuer: string;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  readonly log?: Log;
  readonly files?: FileSystem;
  readonly lock?: Lock;
  readonly findCodex?: FindCodex;
  readonly watchFolder?: WatchFolder;
}

/** How often a switch begins anew because the file's login changed meanwhile. */
const TRIES = 5;

/** This device's Codex CLI, by its files. */
export function codexDevice(options: DeviceOptions): Device {
  const { store, env, issuer, clock = systemClock, random = Math.random } = options;
  const { files = systemFiles, log = silentLog, lock = lockWithPrograms(env) } = options;
  const home = codexHome(env);
  const path = authPath(env);
  const place = { path, files, clock, random, lock };
  const shared = sharedTokens({ store, env, issuer, clock, random, log, files, lock });
  const read = () => readWholeAuthFile(path, { files, clock });
  const stored = async () => (await store.load()).accounts;

  async function state(): Promise<DeviceState> {
    const reading = await read();
    const changedAt = reading.kind === "absent" ? null : reading.changedAt;
    const about = { path: reading.path, changedAt };
    try {
      const kind = credentialStore(home, files);
      const content = usesFile(kind)
        ? await contentOf(reading, { store, issuer, now: clock.now() })
        : { kind: "elsewhere" } as const;
      return { ...about, credentialStore: kind, content };
    } catch (error) {
      const content = { kind: "unreadable", why: messageOf(error) } as const;
      return { ...about, credentialStore: "file", content };
    }
  }

  async function sync(wish: { readonly alias?: string | undefined } = {}): Promise<SyncOutcome> {
    const kind = credentialStore(home, files);
    const elsewhere = keptElsewhere(kind, home);
    const reading = await read();
    if (elsewhere === undefined) return await takeOver(reading, wish.alias);
    if (!usesFile(kind) || reading.kind === "absent") {
      return {
        kind: "left",
        text: `${elsewhere} To have its account here too: ${PROGRAM} add <alias>`,
      };
    }
    const outcome = await takeOver(reading, wish.alias);
    return { ...outcome, text: `${outcome.text} ${elsewhere}` };
  }

  async function takeOver(reading: AuthReading, alias?: string): Promise<SyncOutcome> {
    const now = clock.now();
    const outcome = await syncReading(reading, { store, issuer, now, files, alias });
    if (outcome.kind !== "unchanged" && outcome.kind !== "left") return outcome;
    // Ours may be the newer ones, and those in the file spent.
    const given = await shared.heal(await stored());
    return given
      ? {
        kind: "updated",
        alias: given.alias,
        text: `The Codex CLI held spent tokens of "${
          printable(given.alias)
        }" and has new ones now.`,
      }
      : outcome;
  }

  /** Refuses a switch that would lose a login which is nowhere else. */
  async function checkReplaceable(reading: AuthReading): Promise<void> {
    const content = await contentOf(reading, { store, issuer, now: clock.now() });
    if (content.kind === "unreadable") {
      throw new Failure(
        `${path}: ${content.why}; what it holds would be lost.`,
        "To replace it all the same: --force",
      );
    }
    if (content.kind !== "stranger" || content.reason === "removed") return;
    throw new Failure(
      `${path} holds a login${
        content.email === undefined ? "" : ` of ${printable(content.email)}`
      } that is not in the store, and it would be lost: ${content.why}.`,
      "To replace it all the same: --force",
    );
  }

  async function put(account: Account, overwrite: boolean): Promise<void> {
    for (let attempt = 1;; attempt++) {
      const before = await read();
      // What Codex has renewed since we looked last must not be lost with its file.
      await takeOver(before);
      if (!overwrite) await checkReplaceable(before);
      const now = clock.now();
      const current = (await stored()).find(({ id }) => id === account.id);
      checkUsable(current, account);
      let moved = false;
      await changeAuthFile(place, (reading) => {
        moved = textOf(reading) !== textOf(before);
        const json = reading.kind === "read" ? reading.json : undefined;
        if (moved || holdsAlready(json, current)) return Promise.resolve(undefined);
        const sameSeat = holderOf(reading, [current], { issuer, now }) !== undefined;
        return Promise.resolve(withLogin(json, current, { issuer, sameSeat, now }));
      });
      if (!moved) return;
      if (attempt === TRIES) {
        throw new Failure(`${path} keeps being changed by another program.`, "Try again.");
      }
    }
  }

  return {
    state,
    sync,
    async switchTo(account, { overwrite = false } = {}) {
      const kind = credentialStore(home, files);
      if (kind !== "file") {
        throw new Failure(
          keptElsewhere(kind, home) ?? "",
          toUseFile(home, `switch ${printable(account.alias)}`),
        );
      }
      await put(account, overwrite);
      const running = await (options.findCodex ?? findCodex(env, files))();
      log.info(`${account.alias} is the account of this device's Codex CLI now`);
      return { codexRuns: running === undefined || running.length > 0 };
    },
    watch: (onSync) =>
      watchAuth({
        path,
        files,
        clock,
        watchFolder: options.watchFolder ?? watchFolder,
        onChange: () =>
          sync().then(onSync, (error) => {
            log.warn(messageOf(error));
            onSync({ kind: "left", text: messageOf(error) });
          }),
      }),
  };
}

/** Says where the Codex CLI keeps its login if that is not its file. */
function keptElsewhere(kind: DeviceState["credentialStore"], home: string): string | undefined {
  const setting = `${STORE_SETTING} = "${kind}" in ${home}/config.toml`;
  switch (kind) {
    case "file":
      return undefined;
    case "keyring":
      return `The Codex CLI keeps its login in the system's keyring (${setting}), which is not read or changed from here.`;
    case "auto":
      return `The Codex CLI keeps its login in the system's keyring where there is one, else in its file (${setting}); only it knows which it uses.`;
    case "ephemeral":
      return `The Codex CLI keeps its login in memory only (${setting}).`;
  }
}

function checkUsable(current: Account | undefined, asked: Account): asserts current is Account {
  const name = printable(asked.alias);
  if (!current) throw new Failure(`Account "${name}" was removed meanwhile.`, "Add it again.");
  const reason = current.setAside?.reason;
  if (reason === undefined) return;
  throw new Failure(
    `Account "${name}" cannot be used: ${reason}.`,
    // No login brings a workspace back.
    reason === "workspace deactivated"
      ? `If that is over: ${PROGRAM} restore ${name}`
      : `Sign in again: ${PROGRAM} add ${name}`,
  );
}

/** Whether Codex would find exactly this login, so that nothing has to be written. */
function holdsAlready(json: JsonObject | undefined, { credentials }: Account): boolean {
  const tokens = asObject(json?.["tokens"]);
  return json?.["auth_mode"] === "chatgpt" &&
    tokens?.["access_token"] === credentials.accessToken &&
    tokens?.["refresh_token"] === credentials.refreshToken;
}

function textOf(reading: AuthReading): string | undefined {
  return "text" in reading ? reading.text : undefined;
}
