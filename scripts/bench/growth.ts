import { join } from "node:path";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import type { LocalStore } from "../../src/store/local.ts";
import { VirtualClock } from "../../tests/virtual_clock.ts";
import type { Effort, Figure } from "./measure.ts";

/** Most that `state.db` may hold after a day of heavy use, in MB. */
const DAY_BUDGET_MB = 20;
const DAY_MS = 86_400_000;
/** Between two answers, in milliseconds: some people's agents never rest. */
const PACE_MS = 2_000;
const ACCOUNTS = 20;

/** Lets a store remember so many conversations. */
export async function rememberSessions(
  env: Readonly<Record<string, string>>,
  count: number,
): Promise<void> {
  const store = await openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
  const { accounts } = await store.load();
  for (let n = 0; n < count; n++) {
    const accountId = accounts[n % accounts.length]?.id ?? "";
    store.setAffinity({ session: `ses_before_${n}`, accountId, at: systemClock.now() });
    if (n % 5_000 === 0) await store.flush();
  }
  await store.close();
}

/** A day of answers, a conversation every twenty of them, on a clock of its own. */
export async function measureDay(folder: string, effort: Effort): Promise<Figure> {
  const env = { HOME: folder, OPENCODE_MULTI_AUTH_STORE_DIR: join(folder, "day") };
  const clock = new VirtualClock();
  const paths = resolvePaths(env);
  const store = await openLocalStore({ paths, env, clock });
  const ids: string[] = [];
  for (let n = 0; n < ACCOUNTS; n++) {
    ids.push(`account-${n}`);
    await addAccount(store, `account-${n}`);
  }
  // A part of a day is enough to see whether it ends well, if it is looked at as what it is.
  const answers = Math.round(DAY_MS * Math.max(effort.share, 0.25) / PACE_MS);
  for (let n = 0; n < answers; n++) {
    answer(store, ids[n % ids.length] ?? "", n, clock.now());
    // Saved after each answer, as within a second of it.
    clock.jump(clock.now() + PACE_MS);
    await store.flush();
  }
  await store.close();
  const bytes = ["", "-wal"].reduce((sum, end) => sum + sizeOf(paths.state + end), 0);
  return {
    what: `state.db after ${Math.round(answers * PACE_MS / 3_600_000)} hours of heavy use`,
    value: Math.round(bytes / 10_485.76) / 100,
    unit: "MB",
    budget: DAY_BUDGET_MB,
  };
}

function answer(store: LocalStore, accountId: string, n: number, now: number): void {
  const session = `ses_${Math.floor(n / 20).toString(36).padStart(26, "0")}`;
  store.observe({
    accountId,
    uses: 1,
    usedAt: now,
    windows: [300, 10_080].map((minutes) => ({
      bucket: "codex",
      minutes,
      usedPercent: n * 7 % 1_000 / 10,
      resetsAt: now + minutes * 30_000,
      observedAt: now,
    })),
    tokens: {
      model: `model-${n % 5}`,
      day: new Date(now).toISOString().slice(0, 10),
      input: 30_000,
      cached: 28_000,
      output: 900,
      reasoning: 300,
    },
  });
  store.setAffinity({ session, accountId, at: now });
  store.setTurn({ activeId: accountId, turnId: accountId });
  store.explain({ at: now, session, accountId, reason: "next in turn" });
}

async function addAccount(store: LocalStore, id: string): Promise<void> {
  await store.add({
    id,
    alias: id,
    credentials: { accessToken: `access-${id}`, refreshToken: `refresh-${id}`, expiresAt: 9e15 },
    generation: 1,
    enabled: true,
    tags: [],
    notes: "",
    source: "login",
  });
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}
