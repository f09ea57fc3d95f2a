import { mayServe } from "../account/account.ts";
import { freeAlias } from "../account/alias.ts";
import { sameIdentity } from "../account/identity.ts";
import type { InstallPlan, Step } from "../opencode/install.ts";
import { Failure } from "../platform/failure.ts";
import { admit, type Newcomer } from "../store/admission.ts";
import type { Context } from "./context.ts";
import { withUnlockedStore } from "./open_store.ts";
import { narrate, report } from "./output.ts";

/** How a plan for OpenCode is carried out. */
export interface SetupOptions {
  readonly yes?: true | undefined;
  readonly dryRun?: true | undefined;
  readonly json?: true | undefined;
  /** Alias of OpenCode's own login, when it becomes an account. */
  readonly alias?: string | undefined;
  /** What `--json` shows beside the plan. */
  readonly also?: Readonly<Record<string, unknown>> | undefined;
  /** Said when all is done. */
  readonly done: string;
  /** Said when there is nothing to do. */
  readonly nothing: string;
}

/**
 * Shows a plan, asks, and does it.
 *
 * @throws {Failure} when a question can be asked nowhere, the person says no, or a step fails; then nothing is changed.
 */
export async function carryOut(
  context: Context,
  plan: InstallPlan,
  options: SetupOptions,
): Promise<void> {
  const { formatPlan } = await import("../opencode/install.ts");
  const { steps, notices } = plan;
  const { also } = options;
  const notes = lines(notices);
  if (steps.length === 0) {
    const outcome = { ok: true, ...also, done: [], skipped: [], backups: [], notices };
    report(context, options, outcome, `${options.nothing}\n${notes}`);
    return;
  }
  const text = `\n${formatPlan(plan)}\n`;
  if (options.dryRun) {
    const outcome = { ok: true, dryRun: true, ...also, steps, notices };
    report(context, options, outcome, `${text}Nothing was changed (--dry-run).\n${notes}`);
    return;
  }
  const accept = await consent(context, plan, options, text);
  const adopted: string[] = [];
  const { applyInstall } = await import("../opencode/apply_install.ts");
  const applied = await applyInstall(plan, {
    clock: context.clock,
    accept,
    storeLogin: async (login) => void adopted.push(await adopt(context, login, options.alias)),
  });
  const alias = adopted[0];
  report(
    context,
    options,
    {
      ok: true,
      ...also,
      ...applied,
      notices: [...notices, ...applied.notices],
      adopted: alias ?? null,
    },
    `${options.done}\n` +
      (alias === undefined ? "" : `OpenCode's login is now the account "${alias}".\n`) +
      lines(applied.skipped.map((step) => `Not done: ${step.text}`)) +
      lines(applied.backups.map((path) => `Copy of what was there: ${path}`)) +
      lines([...applied.notices, ...notices]),
  );
}

/** Shows what will be done and gets the person's word, or takes `--yes` for it. */
async function consent(
  context: Context,
  plan: InstallPlan,
  options: SetupOptions,
  text: string,
): Promise<(step: Step) => boolean | Promise<boolean>> {
  narrate(context, options, text);
  const standard = (step: Step) => step.question?.standard ?? true;
  if (options.yes) return standard;
  const { input, output } = context.terminal;
  if (!input || !output) {
    const question = plan.steps.find((step) => step.question !== undefined)?.question;
    if (question === undefined) return standard;
    throw new Failure(
      `Nobody can be asked here: "${question.text}" Nothing was changed.`,
      "Run it on a terminal, or take the standard answers with --yes.",
    );
  }
  const prompts = await context.prompts();
  if (!await prompts.confirm("Go on?", true)) throw new Failure("Cancelled; nothing was changed.");
  return ({ question }) =>
    question === undefined ? true : prompts.confirm(question.text, question.standard);
}

/** Stores OpenCode's own login. Gives the alias under which it now lives. */
export function adopt(
  context: Context,
  login: Newcomer,
  asked: string | undefined,
): Promise<string> {
  return withUnlockedStore(context, async ({ store, snapshot: { accounts } }) => {
    const known = accounts.find(({ identity }) =>
      identity && login.identity && sameIdentity(identity, login.identity)
    );
    // Our tokens of the same account may be newer, and the older ones consumed.
    if (known && mayServe(known)) return known.alias;
    const taken = new Set(accounts.map((account) => account.alias));
    const alias = known?.alias ?? asked ?? freeAlias(login.email, taken);
    await admit(store, alias, login, "opencode", context.clock.now());
    return alias;
  });
}

function lines(sentences: readonly string[]): string {
  return sentences.map((sentence) => `${sentence}\n`).join("");
}
