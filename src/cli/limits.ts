import { Option } from "@commander-js/extra-typings";
import type { Account } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import type { LimitSource, LimitTask } from "../limits/limit_queue.ts";
import { sleep } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { fileLog } from "../platform/log.ts";
import { set } from "../platform/paths.ts";
import { PLAN_BUCKET } from "../quota/window.ts";
import type { Snapshot } from "../store/store.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { limitsText } from "./limits_text.ts";
import { accountNamed, type OpenStore, withUnlockedStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";
import { statusObject } from "./status_object.ts";
import { paintOf } from "./style.ts";
import { readPast } from "./status_past.ts";

/** Figures of this age, in milliseconds, need not be asked for again: polling is said to have cost accounts. */
export const FRESH_MS = 5 * 60_000;
/** Pause between two looks at the queue, in milliseconds. */
const LOOK_MS = 100;

/** `limits`: what is left of each account, asked for where nobody knows it. */
export function registerLimits(program: CommandLine, context: Context): void {
  program.command("limits")
    .summary("Show what is left of each account, asking where needed")
    .description(
      "Shows what is left of each account. Figures from traffic that are younger\n" +
        "than five minutes are shown as they are; for the others the account is asked.\n" +
        "--source or --fresh asks in any case. Ways to ask, the cheapest first:\n\n" +
        "  usage       the backend's usage endpoint; costs nothing\n" +
        "  app-server  the Codex CLI, `codex app-server`; costs nothing\n" +
        "  exec        the Codex CLI, `codex exec`; a real request of 11,000 tokens\n" +
        "  auto        the first of these that answers (default)\n\n" +
        "The Codex CLI runs in ~/.codex-multi/<alias> with an access token alone; your\n" +
        "own login of the Codex CLI is not touched. One account is asked at a time.",
    )
    .argument("[alias...]", "the accounts; all that take part when left out")
    .addOption(
      new Option("--source <name>", "how to ask, in any case")
        .choices(["auto", "usage", "app-server", "exec"]),
    )
    .option("--fresh", "ask also where the figures are young")
    .option("--json", JSON_ABOUT)
    .action((aliases, options) =>
      withUnlockedStore(context, async (open) => {
        const { snapshot } = open;
        const named = aliases.map((alias) => accountNamed(snapshot, alias));
        const shown = named.length > 0 ? [...new Set(named)] : snapshot.accounts;
        const now = context.clock.now();
        const force = options.fresh === true || options.source !== undefined;
        const asked = shown.filter((account) =>
          (named.length > 0 || account.setAside === undefined) &&
          (force || !isFresh(account, snapshot, now))
        );
        const source = options.source ?? "auto";
        const tasks = asked.length === 0
          ? []
          : await ask(context, open, asked, source, !options.json);
        const failed = asked.flatMap((account) => {
          const task = tasks.find(({ accountId }) => accountId === account.id);
          if (task?.state === "success") return [];
          return [{ account, error: task?.error ?? "It was stopped." }];
        });
        // One line says it all where nothing else was wanted.
        const [first] = failed;
        if (first && shown.length === 1 && !options.json) {
          throw new Failure(`${printable(first.account.alias)}: ${first.error}`);
        }
        const after = await open.store.load();
        const time = context.clock.now();
        const past = await readPast(open.store, time);
        const status = statusObject("", after, time, [], past);
        const accounts = status.accounts
          .filter(({ alias }) => shown.some((account) => account.alias === alias))
          .map((account) => ({
            alias: account.alias,
            email: account.email,
            plan: account.plan,
            asked: asked.some(({ alias }) => alias === account.alias),
            error: failed.find((one) => one.account.alias === account.alias)?.error ?? null,
            blockedUntil: account.blockedUntil,
            blockReason: account.blockReason,
            quota: account.quota,
            resetCredits: account.resetCredits,
            credits: account.credits,
          }));
        report(
          context,
          options,
          { ok: failed.length === 0, accounts },
          limitsText(accounts, {
            now: time,
            place: context,
            paint: paintOf(context),
            columns: context.columns,
          }),
        );
        if (failed.length > 0) {
          const names = failed.map(({ account }) => printable(account.alias)).join(", ");
          const why = options.json && failed.length === 1 ? first?.error : "See above why.";
          throw new Failure(`No new figures for ${names}.`, why);
        }
      })
    );
}

/** Whether an account's plan was seen lately enough. */
function isFresh(account: Account, snapshot: Snapshot, now: number): boolean {
  const windows = (snapshot.figures.get(account.id)?.windows ?? [])
    .filter(({ bucket }) => bucket === PLAN_BUCKET);
  // All windows of a plan are reported together; one that the plan no longer has stays behind.
  const seen = Math.max(...windows.map(({ observedAt }) => observedAt));
  return seen <= now && now - seen < FRESH_MS;
}

/**
 * Asks through the machine's queue, and says on the way how far it is.
 *
 * @returns How these accounts' tasks ended.
 */
async function ask(
  context: Context,
  { store, paths }: OpenStore,
  accounts: readonly Account[],
  source: LimitSource,
  narrated: boolean,
): Promise<LimitTask[]> {
  const { env, clock, random, fetch, folder, signal } = context;
  const { createClient } = await import("../codex/client.ts");
  const { openLimitQueue } = await import("../limits/open.ts");
  const debug = set(env["OPENCODE_MULTI_AUTH_DEBUG"]) === "1";
  const log = fileLog({ path: paths.log, clock, debug });
  const client = await createClient({ env, clock, random, fetch, log });
  const queue = openLimitQueue({ client, store, paths, env, folder, fetch, clock, random, log });
  const ids = new Set(accounts.map(({ id }) => id));
  const line = progressLine(context, narrated);
  try {
    await queue.add([...ids], source);
    for (;;) {
      const state = await queue.state();
      const mine = state.tasks.filter((task) => task.source === source && ids.has(task.accountId));
      const pending = mine.filter(({ state }) => state === "queued" || state === "running");
      if (pending.length === 0) return mine;
      const next = pending.find(({ state }) => state === "running") ?? pending[0];
      const alias = accounts.find(({ id }) => id === next?.accountId)?.alias ?? "";
      const place = Math.min(mine.length - pending.length + 1, mine.length);
      line.say(`Asking ${place} of ${mine.length}: ${printable(alias)}`);
      await sleep(clock, LOOK_MS, signal);
    }
  } finally {
    line.end();
    await queue.close();
    await client.close();
    await log.flush();
  }
}

/** A line on the terminal that is written over and over, and gone in the end. */
function progressLine(context: Context, narrated: boolean) {
  const visible = narrated && context.terminal.output;
  let last = "";
  return {
    say(text: string): void {
      if (!visible || text === last) return;
      last = text;
      context.warn(`\r\x1b[2K${text}`);
    },
    end(): void {
      if (last !== "") context.warn("\r\x1b[2K");
    },
  };
}
