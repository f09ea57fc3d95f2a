import { lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { codexDevice, type DeviceOptions } from "../../src/codex_cli/codex_device.ts";
import type { Device } from "../../src/codex_cli/device.ts";
import { type SharedTokens, sharedTokens } from "../../src/codex_cli/shared_tokens.ts";
import { readLogin } from "../../src/store/imported_login.ts";
import type { Account } from "../../src/account/account.ts";
import type { LocalStore } from "../../src/store/local.ts";
import { silentLog } from "../../src/platform/log.ts";
import { accessTokenOf, type Holder, idTokenOf } from "../simulator/jwt.ts";
import { inFolder, type StoreFolder } from "../store/store_folder.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";

export const ISSUER = "https://auth.openai.com";

/** Who signs in; everything follows from the name. */
export function person(name: string, changes: Partial<Holder> = {}): Holder {
  return {
    name,
    email: `${name}@example.com`,
    workspaceId: `workspace-${name}`,
    userId: `user-${name}`,
    accountUserId: `member-${name}`,
    planType: "plus",
    accessTokenLifetimeMs: 864_000_000,
    ...changes,
  };
}

/** A login's tokens; a later round was issued a minute later and is newer. */
export function tokens(
  holder: Holder,
  round = 1,
  expiresAt = FIXTURE_NOW + holder.accessTokenLifetimeMs,
) {
  const iat = Math.floor(FIXTURE_NOW / 1000) - 3600 + round * 60;
  const stamp = {
    iss: ISSUER,
    sub: holder.userId,
    iat,
    exp: Math.floor(expiresAt / 1000),
    jti: `${round}`,
  };
  return {
    id_token: idTokenOf(stamp, holder),
    access_token: accessTokenOf(stamp, holder, "openid"),
    refresh_token: `rt_${holder.accountUserId}_${holder.workspaceId}_${round}`,
    account_id: holder.workspaceId,
  };
}

/** An `auth.json` as Codex writes it. */
export function authJson(holder: Holder, round = 1, more: Record<string, unknown> = {}) {
  return {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: tokens(holder, round),
    last_refresh: new Date(FIXTURE_NOW - 3_600_000 + round * 60_000).toISOString(),
    ...more,
  };
}

/** The account that a login of this person becomes. */
export function accountOf(holder: Holder, round = 1, alias = holder.name): Account {
  const login = readLogin(authJson(holder, round), { issuer: ISSUER, now: FIXTURE_NOW });
  if ("why" in login) throw new Error(login.why);
  return { ...login, id: `id-${alias}`, alias, generation: 1, source: "login" };
}

/** A machine with a store and a Codex CLI, thrown away afterwards. */
export interface DeviceFolder {
  readonly folder: StoreFolder;
  readonly store: LocalStore;
  readonly home: string;
  readonly path: string;
  readonly env: Record<string, string>;
  device(options?: Partial<DeviceOptions>): Device;
  shared(): SharedTokens;
  /** Puts JSON, or a text to the letter, into `auth.json`. */
  write(content: unknown): void;
  /** What stands in `auth.json`. */
  // deno-lint-ignore no-explicit-any
  read(): any;
  mode(): number;
  aliases(): Promise<string[]>;
  refreshTokens(): Promise<string[]>;
}

/** Runs a test on such a machine. Locks are the real ones; no Codex runs. */
export function onDevice(test: (at: DeviceFolder) => Promise<void>): Promise<void> {
  return inFolder(async (folder) => {
    const home = join(folder.root, "codex");
    mkdirSync(home, { mode: 0o700 });
    const path = join(home, "auth.json");
    const env = {
      CODEX_HOME: home,
      HOME: folder.root,
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
    };
    const store = await folder.open();
    const { clock } = folder;
    const options = { store, env, issuer: ISSUER, clock, random: () => 0.5 };
    await test({
      folder,
      store,
      home,
      path,
      env,
      device: (more = {}) =>
        codexDevice({ ...options, findCodex: () => Promise.resolve([]), ...more }),
      shared: () => sharedTokens({ ...options, log: silentLog }),
      write(content) {
        mkdirSync(dirname(path), { recursive: true });
        const text = typeof content === "string" ? content : JSON.stringify(content, null, 2);
        writeFileSync(path, text, { mode: 0o600 });
      },
      read: () => JSON.parse(readFileSync(path, "utf8")),
      mode: () => lstatSync(path).mode & 0o777,
      aliases: async () => (await store.load()).accounts.map(({ alias }) => alias),
      refreshTokens: async () =>
        (await store.load()).accounts.map(({ credentials }) => credentials.refreshToken),
    });
  });
}
