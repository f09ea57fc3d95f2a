import type { Account } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { keepFresh } from "../codex/freshness.ts";
import { learnUsage } from "../codex/usage_question.ts";
import type { Refresher } from "../oauth/refresh_transaction.ts";
import type { Clock } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import { PLAN_BUCKET } from "../quota/window.ts";
import type { Usage } from "../quota/usage.ts";
import type { Pool } from "../rotation/pool.ts";
import type { LocalStore } from "../store/local.ts";
import { savePlanExtras } from "../store/plan_extras.ts";
import type { LimitSource } from "./limit_queue.ts";
import type { LimitAnswer, Source, SourceName } from "./sources.ts";

/** How a question ended. */
export type QuestionEnd =
  | { readonly kind: "answered"; readonly source: SourceName }
  | {
    readonly kind: "failed";
    /** One or two sentences that name the fix. */
    readonly error: string;
    /** A token was refused: showing the next one at once is said to cost it too. */
    readonly careful: boolean;
  };

/** Asks about one account, and tells the pool and the store what it learns. Never rejects. */
export type Question = (
  accountId: string,
  source: LimitSource,
  signal: AbortSignal,
) => Promise<QuestionEnd>;

/** From the cheapest to the dearest. */
const BY_COST: readonly SourceName[] = ["usage", "app-server", "exec"];

/** What questions need. */
export interface QuestionOptions {
  readonly sources: Readonly<Record<SourceName, Source>>;
  readonly pool: Pool;
  readonly refresher: Refresher;
  /** Where extras and a changed plan go. */
  readonly store: LocalStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the question. The account's token is renewed first where it must be, and once more where it is refused. */
export function createQuestion(options: QuestionOptions): Question {
  const { pool, refresher, clock, store, log } = options;

  const ask = async (
    accountId: string,
    source: LimitSource,
    signal: AbortSignal,
  ): Promise<QuestionEnd> => {
    await pool.refresh();
    const account = pool.account(accountId);
    if (!account) return failed("The account is not there any more.");
    if (account.setAside) return failed(setAsideText(account));
    const fresh = await keepFresh(account, { pool, refresher, clock });
    if (!fresh.account) return failed(noToken(pool.account(accountId) ?? account, fresh.why));

    let asked = fresh.account;
    let renewed = false;
    const said = new Map<string, SourceName[]>();
    for (const name of source === "auto" ? BY_COST : [source]) {
      if (signal.aborted) break;
      let answer = await options.sources[name](asked, signal);
      if (answer.kind === "unauthorized" && !renewed) {
        // A refused access token says nothing about the refresh token.
        renewed = true;
        const outcome = await refresher.refresh(asked, true);
        if (outcome.kind === "fresh" || outcome.kind === "set aside") pool.replace(outcome.account);
        if (outcome.kind !== "fresh") {
          const why = outcome.kind === "failed" ? outcome.why : undefined;
          return failed(noToken(pool.account(accountId) ?? account, why), true);
        }
        asked = outcome.account;
        answer = await options.sources[name](asked, signal);
      }
      if (answer.kind === "read") {
        await learn(asked, answer);
        return { kind: "answered", source: name };
      }
      if (answer.kind === "unauthorized") {
        return failed(
          `The backend refuses its token. Sign in again: ${signIn(account)}`,
          true,
        );
      }
      const text = `${answer.cause} ${answer.fix}`;
      said.set(text, [...said.get(text) ?? [], name]);
      log.info(`${account.alias}: limits by ${name}: ${answer.cause}`);
      // Without a network the dearest way would try until its time is over.
      if (answer.offline && source === "auto") break;
    }
    return failed(allSaid(said) ?? "It was stopped.");
  };

  const learn = async (
    account: Account,
    { usage, askedAt }: Extract<LimitAnswer, { kind: "read" }>,
  ): Promise<void> => {
    await learnUsage(usage, account, askedAt, pool);
    await savePlanExtras(store, account.id, { at: askedAt, ...extrasOf(usage) });
    const { planType } = usage;
    if (planType !== undefined && planType !== account.plan) {
      const changed = await store.edit(account.id, (now) => ({ ...now, plan: planType }));
      if (changed) pool.replace(changed);
    }
  };

  return async (accountId, source, signal) => {
    try {
      return await ask(accountId, source, signal);
    } catch (error) {
      return failed(messageOf(error));
    }
  };
}

function failed(error: string, careful = false): QuestionEnd {
  return { kind: "failed", error, careful };
}

/** What all ways have said, each with its name where that are several. */
function allSaid(said: ReadonlyMap<string, readonly SourceName[]>): string | undefined {
  const texts = [...said];
  if (texts.length < 2) return texts[0]?.[0];
  // Another way is no advice where it was tried.
  return texts.map(([text, names]) => `${names.join(", ")}: ${text.replace(OTHER_WAY, "")}`)
    .join(" ");
}

/** The end of a fix that names another way to ask. */
const OTHER_WAY = /[,;] or ask with --source [\w-]+(?=\.$)| Ask with --source .*$/;

function signIn({ alias }: Account): string {
  return `opencode-multi-auth add ${printable(alias)}`;
}

function setAsideText(account: Account): string {
  return account.setAside?.reason === "workspace deactivated"
    ? "Its workspace is deactivated. If that is over: opencode-multi-auth restore " +
      printable(account.alias)
    : `It ${account.setAside?.reason ?? "needs login"}. Sign in: ${signIn(account)}`;
}

function noToken(account: Account, why: string | undefined): string {
  if (account.setAside) return setAsideText(account);
  return "Its token has ended and could not be renewed now. " + (why ??
    "Look whether this machine reaches auth.openai.com, and ask again in a minute.");
}

function extrasOf(usage: Usage) {
  const named = usage.buckets.flatMap(({ bucket, limitName }) =>
    limitName === undefined || bucket === PLAN_BUCKET ? [] : [[bucket, limitName] as const]
  );
  return {
    ...(usage.resetCredits === undefined ? {} : { resetCredits: usage.resetCredits }),
    ...(usage.credits === undefined ? {} : { credits: usage.credits }),
    ...(named.length === 0 ? {} : { bucketNames: Object.fromEntries(named) }),
  };
}
