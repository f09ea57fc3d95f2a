import type { Account } from "../account/account.ts";
import type { DeviceState } from "../codex_cli/device.ts";
import type { LimitQueueState } from "../limits/limit_queue.ts";
import type { SettingEntry } from "../platform/settings.ts";
import { settingText } from "../platform/setting_text.ts";
import { SETTINGS_ABOUT, SETTINGS_CHOICES } from "../platform/settings_about.ts";
import { VERSION } from "../platform/version.ts";
import type { QuotaWindow } from "../quota/window.ts";
import { BlockIndex } from "../rotation/eligibility.ts";
import type { PlanExtras } from "../store/plan_extras.ts";
import type { DailyUse } from "../store/recent.ts";
import type { Explanation, Snapshot } from "../store/store.ts";
import { accountModel } from "./account_model.ts";
import { deviceText } from "./device_text.ts";
import type {
  AccountModel,
  DashboardModel,
  LoginModel,
  LogLine,
  QueueModel,
  TokenTask,
} from "./model.ts";
import { nextBack, poolLeft, recommend } from "./pool_model.ts";
import { sameValue } from "./same_value.ts";

/** Everything that the page is made of, as it was found. */
export interface Findings {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly snapshot: Snapshot;
  /** Why the store is locked; null when it is open. */
  readonly locked: string | null;
  readonly warnings: readonly string[];
  /** By account id, oldest first. */
  readonly histories: ReadonlyMap<string, readonly QuotaWindow[]>;
  /** Oldest first. */
  readonly choices: readonly Explanation[];
  /** Conversations by account id. */
  readonly sessions: ReadonlyMap<string, number>;
  readonly usage: readonly DailyUse[];
  readonly settings: readonly SettingEntry[];
  readonly device: DeviceState;
  readonly limits: LimitQueueState;
  readonly tokens: QueueModel & { readonly tasks: ReadonlyMap<string, TokenTask> };
  /** Of plans, by account id. */
  readonly extras: ReadonlyMap<string, PlanExtras>;
  readonly login: LoginModel | null;
  readonly log: { readonly path: string; readonly lines: readonly LogLine[] };
}

/**
 * The page as data.
 *
 * @param before The model before this one: an account that has not changed keeps its object, so that
 * who compares objects finds what is new.
 * @param timely Whether what only time has changed (pace, projection) counts as a change.
 */
export function buildModel(
  found: Findings,
  before: DashboardModel | undefined,
  timely: boolean,
): DashboardModel {
  const { now, snapshot } = found;
  const { accounts, activeId } = snapshot;
  const pin = snapshot.pin && (snapshot.pin.until === null || snapshot.pin.until > now)
    ? snapshot.pin
    : null;
  const index = new BlockIndex();
  index.reset(snapshot.blocks);
  const alias = aliases(accounts);
  const recommended = recommend(snapshot, index, now);
  const onDevice = found.device.content.kind === "account" ? found.device.content.accountId : null;
  const limitTasks = new Map(found.limits.tasks.map((task) => [task.accountId, task]));
  const known = new Map(before?.accounts.map((account) => [account.id, account]));
  const models = accounts.map((account) => {
    const model = accountModel(account, {
      now,
      snapshot,
      index,
      history: found.histories.get(account.id) ?? [],
      marks: {
        onDevice: account.id === onDevice,
        serving: account.id === activeId,
        pinned: account.id === pin?.accountId,
        recommended: account.id === recommended?.account.id,
      },
      sessions: found.sessions.get(account.id) ?? 0,
      extras: found.extras.get(account.id),
      limitTask: limitTasks.get(account.id) ?? null,
      tokenTask: found.tokens.tasks.get(account.id) ?? null,
    });
    const same = known.get(account.id);
    return same && sameValue(same, model, timely ? [] : ["elapsedPercent", "projection"])
      ? same
      : model;
  });
  return {
    now,
    version: VERSION,
    locked: found.locked,
    warnings: found.warnings,
    accounts: models,
    pool: poolModel(models, now),
    recommended: recommended
      ? { alias: recommended.account.alias, reason: recommended.reason }
      : null,
    device: {
      alias: onDevice === null ? null : alias.get(onDevice) ?? null,
      text: deviceText(found.device, (id) => alias.get(id)),
      path: found.device.path,
    },
    pin: pin && { alias: alias.get(pin.accountId) ?? "", until: pin.until },
    choices: found.choices.toReversed().map((choice) => choiceModel(choice, alias)),
    queue: queueModel(found.limits),
    tokens: queueModel(found.tokens),
    login: found.login,
    strategy: String(found.settings.find(({ name }) => name === "strategy")?.value ?? ""),
    settings: found.settings.map(settingModel),
    usage: found.usage,
    log: found.log,
    importing: null,
    notice: null,
  };
}

function aliases(accounts: readonly Account[]): ReadonlyMap<string, string> {
  return new Map(accounts.map(({ id, alias }) => [id, alias]));
}

function poolModel(accounts: readonly AccountModel[], now: number): DashboardModel["pool"] {
  const available = accounts.filter(({ state }) => state === "available");
  return {
    available: available.length,
    total: accounts.length,
    left: poolLeft(available),
    nextBack: nextBack(accounts, now),
  };
}

function queueModel({ running, done, total, stopped }: QueueModel): QueueModel {
  return { running, done, total, stopped };
}

function choiceModel(
  { at, session, accountId, reason, leftId, why }: Explanation,
  alias: ReadonlyMap<string, string>,
): DashboardModel["choices"][number] {
  const left = leftId === undefined ? null : alias.get(leftId) ?? "(removed)";
  return {
    at,
    session: session ?? null,
    alias: alias.get(accountId) ?? "(removed)",
    reason,
    left: left === null ? null : why === undefined ? left : `${left} (${why})`,
  };
}

function settingModel(
  { name, value, source, env }: SettingEntry,
): DashboardModel["settings"][number] {
  return {
    name,
    value: settingText(name, value),
    about: SETTINGS_ABOUT[name],
    choices: SETTINGS_CHOICES[name] ?? null,
    fixedBy: source === "environment" ? env ?? null : null,
  };
}
