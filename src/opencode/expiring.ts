import { expiringNews, windowName } from "../notify/account_news.ts";
import type { Notification } from "../notify/notification.ts";
import { asList, asObject, asText } from "../platform/json.ts";
import { readWindowEnd } from "../quota/reset.ts";
import { PLAN_BUCKET } from "../quota/window.ts";
import type { LocalStore } from "../store/local.ts";
import { textIn } from "../store/state_db.ts";

const DAY_MS = 86_400_000;
/** Quota and credits are about to expire when so much is left of their time, in milliseconds. */
const SOON_MS = DAY_MS;
/** Windows from this length on are worth it, in minutes: a shorter one comes back the same day. */
const LONG_MINUTES = 1_440;
/** Less than this share left is not worth a word, percent. */
const WORTH_PERCENT = 25;

/** Something that will be lost, and what makes it one and the same for all processes. */
export interface Expiry {
  readonly key: string;
  readonly at: number;
  readonly news: Notification;
}

/**
 * Weekly quota and reset credits that expire within a day without anybody using them.
 *
 * @param now Epoch milliseconds.
 */
export async function findExpiring(store: LocalStore, now: number): Promise<Expiry[]> {
  const { accounts, figures } = await store.load();
  const credits = await readCredits(store, now);
  const soon = (at: number | null): at is number => at !== null && at > now && at - now <= SOON_MS;
  const found: Expiry[] = [];
  for (const { id, alias, enabled, setAside } of accounts) {
    if (!enabled || setAside) continue;
    for (const { bucket, minutes, usedPercent, resetsAt } of figures.get(id)?.windows ?? []) {
      const left = Math.floor(100 - usedPercent);
      if (bucket !== PLAN_BUCKET || minutes < LONG_MINUTES || left < WORTH_PERCENT) continue;
      if (!soon(resetsAt)) continue;
      const what = `${left} % of the ${windowName(minutes)}`;
      found.push({
        key: `expiring ${id} ${minutes}`,
        at: resetsAt,
        news: expiringNews(alias, what, resetsAt, now),
      });
    }
    for (const { id: credit, expiresAt } of credits.get(id) ?? []) {
      if (!soon(expiresAt)) continue;
      found.push({
        key: `expiring ${id} credit ${credit}`,
        at: expiresAt,
        news: expiringNews(alias, "a reset credit", expiresAt, now),
      });
    }
  }
  return found;
}

interface Credit {
  readonly id: string;
  readonly expiresAt: number | null;
}

/** Reset credits that can still be used, by account. They are kept as the backend lists them. */
async function readCredits(store: LocalStore, now: number): Promise<Map<string, Credit[]>> {
  const rows = await store.files.readState(
    (db) => db.prepare("SELECT account_id, extras FROM plan_extras").all(),
    [],
  );
  return new Map(rows.map((row) => [textIn(row, "account_id"), creditsOf(row["extras"], now)]));
}

function creditsOf(text: unknown, now: number): Credit[] {
  let extras: unknown;
  try {
    extras = JSON.parse(String(text));
  } catch {
    return [];
  }
  return asList(asObject(extras)?.["resetCreditList"]).flatMap((entry) => {
    const credit = asObject(entry) ?? {};
    const status = asText(credit["status"]) ?? "available";
    if (status !== "available" && status !== "active") return [];
    const expiresAt = readWindowEnd(credit["expires_at"], undefined, now);
    return [{ id: asText(credit["id"]) ?? "", expiresAt }];
  });
}
