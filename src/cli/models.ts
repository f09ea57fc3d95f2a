import type { Account } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { fetchModels } from "../codex/model_question.ts";
import { resolveEndpoints } from "../platform/endpoints.ts";
import { messageOf } from "../platform/failure.ts";
import type { LocalStore } from "../store/local.ts";
import {
  type ListedModel,
  type ModelList,
  readModelLists,
  saveModelList,
} from "../store/models.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { lockedText, withStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";
import { type Paint, paintOf } from "./style.ts";
import { distance } from "./time.ts";
import { indented } from "./wrapped.ts";

/** Pause between two accounts that are asked, in milliseconds. */
const GAP_MS = 1_000;

/** `models`: what the backend lists for each account. */
export function registerModels(program: CommandLine, context: Context): void {
  program.command("models")
    .summary("Show the models of each account (--refresh)")
    .description(
      "Shows the models that the backend lists for each account, as they were last listed;\n" +
        "accounts without a list are asked. A model that only some accounts have is served\n" +
        "by those. Models that OpenCode lacks are added to it at its next start.",
    )
    .option("--refresh", "ask the backend about every account")
    .option("--json", JSON_ABOUT)
    .action((options) =>
      withStore(context, async ({ store, snapshot }) => {
        if (snapshot.locked) {
          report(context, options, { locked: true, accounts: [] }, `${lockedText(store)}\n`);
          return;
        }
        const failures = await askBackend(context, store, snapshot.accounts, options.refresh);
        const lists = await readModelLists(store);
        const object = modelsObject(snapshot.accounts, lists, failures);
        const text = modelsText(object, context.clock.now(), paintOf(context), context.columns);
        report(context, options, { locked: false, ...object }, text);
      })
    );
}

/** Asks about the accounts that have no list, or about all. Gives what went wrong, by account id. */
async function askBackend(
  context: Context,
  store: LocalStore,
  accounts: readonly Account[],
  all: true | undefined,
): Promise<ReadonlyMap<string, string>> {
  const { backend } = resolveEndpoints(context.env);
  const { clock, fetch } = context;
  const lists = await readModelLists(store);
  const failures = new Map<string, string>();
  let pause = 0;
  for (const account of accounts) {
    const before = lists.get(account.id);
    if (!account.enabled || account.setAside || (before && !all)) continue;
    if (account.credentials.expiresAt <= clock.now()) {
      failures.set(account.id, "its access token has run out; its next request renews it");
      continue;
    }
    if (pause > 0) await new Promise<void>((resolve) => clock.after(pause, resolve));
    pause = GAP_MS;
    const answer = await fetchModels(account, before?.etag ?? "", {
      fetch,
      backend,
      clock,
      signal: context.signal,
    });
    const list = answer.kind === "read" ? answer : answer.kind === "same" ? before : undefined;
    if (!list) {
      failures.set(
        account.id,
        answer.kind === "failed"
          ? `the backend gave no list (${answer.cause})`
          : "its access token was refused; its next request renews it",
      );
      continue;
    }
    try {
      const { etag, models } = list;
      await saveModelList(store, account.id, { at: clock.now(), etag, models });
    } catch (error) {
      failures.set(account.id, messageOf(error));
    }
  }
  return failures;
}

/** What `models --json` prints. */
interface Models {
  /** In the person's order. */
  readonly accounts: readonly {
    readonly alias: string;
    /** When the backend last said so, epoch milliseconds; null where it never did. */
    readonly listedAt: number | null;
    readonly models: readonly ListedModel[];
    /** Why there is no newer list. */
    readonly error: string | null;
  }[];
  /** Every model with the accounts that have it, the backend's favourite first. */
  readonly models: readonly { readonly slug: string; readonly accounts: readonly string[] }[];
}

function modelsObject(
  accounts: readonly Account[],
  lists: ReadonlyMap<string, ModelList>,
  failures: ReadonlyMap<string, string>,
): Models {
  const rows = accounts.map(({ id, alias }) => ({
    alias,
    listedAt: lists.get(id)?.at ?? null,
    models: (lists.get(id)?.models ?? []).toSorted((a, b) => a.priority - b.priority),
    error: failures.get(id) ?? null,
  }));
  const known = new Map<string, { priority: number; accounts: string[] }>();
  for (const { alias, models } of rows) {
    for (const { slug, priority } of models) {
      const entry = known.get(slug);
      if (entry) entry.accounts.push(alias);
      else known.set(slug, { priority, accounts: [alias] });
    }
  }
  return {
    accounts: rows,
    models: [...known].sort(([, a], [, b]) => a.priority - b.priority)
      .map(([slug, entry]) => ({ slug, accounts: entry.accounts })),
  };
}

function modelsText(
  { accounts, models }: Models,
  now: number,
  paint: Paint,
  columns: number,
): string {
  if (accounts.length === 0) {
    return "No accounts configured. Run: opencode-multi-auth add <alias>\n";
  }
  const holders = new Map(models.map(({ slug, accounts }) => [slug, accounts.length]));
  const listed = accounts.filter((account) => account.listedAt !== null).length;
  const width = Math.max(0, ...models.map(({ slug }) => printable(slug).length));
  const some = "not every account";
  const rows = accounts.flatMap((account) =>
    account.models.map((model) => 4 + width + 2 + about(model).length + 2 + some.length)
  );
  const narrow = Math.max(0, ...rows) > columns;
  const lines = accounts.flatMap((account) => {
    const age = account.listedAt === null ? "" : ` (listed ${distance(account.listedAt, now)})`;
    return [
      "",
      `  ${paint("bold", printable(account.alias))}${paint("dim", age)}`,
      ...(account.error === null ? [] : indented(`No new list: ${account.error}`, "    ", columns)
        .map((one) => paint("yellow", one))),
      ...(account.listedAt === null && account.error === null ? ["    Not listed yet"] : []),
      ...account.models.flatMap((model) => {
        const slug = printable(model.slug);
        const rare = (holders.get(model.slug) ?? 0) < listed;
        if (!narrow) {
          const mark = rare ? paint("green", `  ${some}`) : "";
          return [`    ${slug.padEnd(width)}  ${about(model)}${mark}`.trimEnd()];
        }
        const words = [about(model), rare ? some : ""].filter((text) => text !== "").join(", ");
        return [`    ${slug}`, ...(words === "" ? [] : indented(words, " ".repeat(6), columns))];
      }),
    ];
  });
  return [...lines, "", ""].join("\n");
}

/** `272k, low to xhigh`. */
function about({ context, efforts, hidden }: ListedModel): string {
  const [first, last] = [efforts[0], efforts.at(-1)];
  return [
    ...(context > 0 ? [`${Math.round(context / 1_000)}k`] : []),
    ...(first === undefined ? [] : [
      first === last ? printable(first) : `${printable(first)} to ${printable(last ?? "")}`,
    ]),
    ...(hidden ? ["hidden"] : []),
  ].join(", ");
}
