import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Account } from "../../src/account/account.ts";
import type { FileSystem } from "../../src/platform/files.ts";
import { type Environment, type Paths, resolvePaths } from "../../src/platform/paths.ts";
import { type LocalStore, openLocalStore } from "../../src/store/local.ts";
import { readChoices, readTokenUse, type TokenUse } from "../../src/store/past.ts";
import type { OpenDatabase } from "../../src/store/sqlite.ts";
import type { Explanation, Snapshot } from "../../src/store/store.ts";
import { VirtualClock } from "../virtual_clock.ts";

/** Folder of the fixtures. */
export const FIXTURES = new URL("../fixtures/", import.meta.url).pathname;

/** A store folder of one test, and the stores opened on it. */
export class StoreFolder {
  readonly clock = new VirtualClock();
  readonly root = mkdtempSync(join(tmpdir(), "store-"));
  readonly paths: Paths = resolvePaths({ OPENCODE_MULTI_AUTH_STORE_DIR: join(this.root, "store") });
  readonly #stores: LocalStore[] = [];

  /** Opens a store, as another process would. */
  async open(
    env: Environment = {},
    more: { files?: FileSystem; sqlite?: () => Promise<OpenDatabase>; clock?: VirtualClock } = {},
  ): Promise<LocalStore> {
    const store = await openLocalStore({
      paths: this.paths,
      env: { ...env, PATH: Deno.env.get("PATH") },
      clock: this.clock,
      random: () => 0.5,
      ...more,
    });
    this.#stores.push(store);
    return store;
  }

  async tokenUse(): Promise<TokenUse[]> {
    return await readTokenUse(await this.open(), "");
  }

  async choices(): Promise<Explanation[]> {
    return await readChoices(await this.open(), 10_000);
  }

  /** Puts a fixture in the place of `accounts.json`. */
  use(fixture: string): void {
    mkdirSync(this.paths.folder, { recursive: true, mode: 0o700 });
    copyFileSync(join(FIXTURES, "store", fixture), this.paths.accounts);
  }

  /** Names of the files in the store folder, SQLite's own left out; empty when there is none. */
  names(): string[] {
    try {
      return readdirSync(this.paths.folder).filter((name) => !/^state\.db-(wal|shm)$/.test(name))
        .sort();
    } catch {
      return [];
    }
  }

  /** Text of a file in the store folder. */
  text(name = "accounts.json"): string {
    return readFileSync(join(this.paths.folder, name), "utf8");
  }

  async remove(): Promise<void> {
    for (const store of this.#stores) await store.close().catch(() => {});
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Runs a test in a store folder of its own. */
export async function inFolder(work: (folder: StoreFolder) => Promise<void>): Promise<void> {
  const folder = new StoreFolder();
  try {
    await work(folder);
  } finally {
    await folder.remove();
  }
}

/** An account for tests; its id and tokens follow from the alias. */
export function testAccount(alias: string, fields: Partial<Account> = {}): Account {
  return {
    id: `id-${alias}`,
    alias,
    credentials: testCredentials(alias, 1),
    generation: 1,
    identity: { workspaceId: `workspace-${alias}`, memberId: `member-${alias}` },
    email: `${alias}@example.com`,
    enabled: true,
    tags: [],
    notes: "",
    source: "login",
    ...fields,
  };
}

/** Credentials that tell whose they are and how often they were renewed. */
export function testCredentials(name: string, round: number) {
  return {
    accessToken: `access-${name}-${round}`,
    refreshToken: `refresh-${name}-${round}`,
    expiresAt: 4102444800_000,
  };
}

/** The id of the account with this alias. */
export function idOf(snapshot: Snapshot, alias: string): string {
  return snapshot.accounts.find((account) => account.alias === alias)?.id ?? "";
}
