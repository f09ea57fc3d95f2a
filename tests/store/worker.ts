/**
 * One process of several on a store, for Deno, Bun and Node alike. Says each
 * thing that a store has acknowledged in a line of its own.
 *
 * Arguments: what to do, the store folder, a name.
 *
 * @module
 */
import { writeSync } from "node:fs";
import process from "node:process";
import type { Account } from "../../src/account/account.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { accountSubject } from "../../src/quota/block.ts";
import { type LocalStore, openLocalStore } from "../../src/store/local.ts";
import { readHistory } from "./one_history.ts";

/** A line that is there even if the process is killed right after it. */
function say(...words: unknown[]): void {
  writeSync(1, `${words.join(" ")}\n`);
}

function account(name: string): Account {
  return {
    id: `id-${name}`,
    alias: name,
    credentials: credentials(name, 1),
    generation: 1,
    enabled: true,
    tags: [],
    notes: "",
    source: "login",
  };
}

function credentials(name: string, generation: number) {
  return {
    accessToken: `access-${name}-${generation}`,
    refreshToken: `refresh-${name}-${generation}`,
    expiresAt: 4102444800_000,
  };
}

const WORK: Readonly<Record<string, (store: LocalStore, name: string) => Promise<void>>> = {
  /** Adds an account of its own, at the same moment as others do. */
  async add(store, name) {
    await store.add(account(name));
    say("added");
  },

  /** 100 uses of one account, with saves at odd moments. */
  async uses(store) {
    const { accounts: [first] } = await store.load();
    const accountId = first?.id ?? "";
    for (let n = 0; n < 100; n++) {
      store.observe({ accountId, uses: 1, usedAt: Date.now() });
      if (n % 7 === 0) await store.flush();
      if (store.changed()) await store.load();
    }
  },

  /** Renews the tokens of one account as fast as it can, as a refresh does, until it is killed. */
  async renew(store, name) {
    for (;;) {
      const { accounts: [first] } = await store.load();
      if (!first) return;
      const { id, generation } = first;
      await store.beginRefresh(id, generation);
      say("begun", generation);
      const saved = await store.swapCredentials(id, generation, credentials(name, generation + 1));
      say("saved", saved?.generation);
      store.observe({ accountId: id, uses: 1 });
      await store.flush();
      say("counted");
    }
  },

  /** A bit of everything; says what it finds. */
  async everything(store, name) {
    await store.load();
    await store.add(account(name));
    await store.add(account("__proto__"));
    const id = `id-${name}`;
    await store.swapCredentials(id, 1, credentials(name, 2));
    await store.edit(id, (one) => ({ ...one, notes: "noted", tags: ["a"] }));
    const now = Date.now();
    const window = { bucket: "codex", minutes: 300, usedPercent: 12.5, resetsAt: null };
    store.observe({ accountId: id, uses: 3, windows: [{ ...window, observedAt: now }] });
    store.setTurn({ activeId: id, turnId: id });
    store.setAffinity({ session: "s", accountId: id, at: now });
    await store.block({
      subject: accountSubject(id),
      model: "",
      reason: "usage limit",
      until: now + 60_000,
      source: "body",
      since: now,
    });
    await store.setPin({ accountId: id, until: null });
    await store.beginRefresh(id, 2);
    const lease = await store.lease("refresh", 60_000);
    const second = await store.lease("refresh", 60_000);
    await lease?.release();
    await store.flush();
    const { accounts, figures, blocks, pin, activeId, turnId, locked } = await store.load();
    say(JSON.stringify({
      accounts: accounts.map((
        { alias, generation, notes, tags },
      ) => [alias, generation, notes, tags]),
      uses: figures.get(id)?.uses,
      percent: figures.get(id)?.windows[0]?.usedPercent,
      blocks: blocks.map(({ reason }) => reason),
      pin,
      activeId,
      turnId,
      locked,
      affinity: (await store.affinity("s"))?.accountId,
      open: await store.openRefresh(id),
      lease: [lease !== undefined, second !== undefined],
      history: (await readHistory(store, id)).length,
      changed: store.changed(),
      warnings: store.warnings.length,
    }));
  },
};

const [what = "", folder = "", name = ""] = process.argv.slice(2);
const env = { ...process.env, OPENCODE_MULTI_AUTH_STORE_DIR: folder };
const store = await openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
await WORK[what]?.(store, name);
await store.close();
