import { printable } from "../account/alias.ts";
import type { LimitQueue, LimitSource } from "../limits/limit_queue.ts";
import { Failure } from "../platform/failure.ts";
import type { Store } from "../store/store.ts";
import { accountWith } from "./account_actions.ts";
import { type Action, type ActionRequest, LENGTHS } from "./action.ts";
import type { TokenQueue } from "./token_queue.ts";

const SOURCES: readonly LimitSource[] = ["auto", "usage", "app-server", "exec"];

/** Asking for limits and renewing tokens, of one account or of all. */
export function queueActions({ store, limits, tokens }: {
  readonly store: Store;
  readonly limits: LimitQueue;
  readonly tokens: TokenQueue;
}): Action[] {
  const one = async ({ accountId }: ActionRequest) => accountWith(await store.load(), accountId);
  /** Those that a question to the issuer or the backend can help. */
  const all = async () => {
    const { accounts } = await store.load();
    const asked = accounts.filter((account) => account.enabled && account.setAside === undefined);
    if (asked.length > 0) return asked.map(({ id }) => id);
    throw new Failure("There is no account that could be asked.", "Add one, or enable one.");
  };
  return [
    {
      path: "/accounts/:id/limits",
      fields: { source: LENGTHS.word },
      async run(request) {
        const { id, alias } = await one(request);
        await limits.add([id], sourceOf(request));
        return `The limits of "${printable(alias)}" are being asked for.`;
      },
    },
    {
      path: "/limits",
      fields: { source: LENGTHS.word },
      async run(request) {
        const ids = await all();
        await limits.add(ids, sourceOf(request));
        return `The limits of ${count(ids.length)} are being asked for.`;
      },
    },
    {
      path: "/limits/stop",
      fields: {},
      async run() {
        await limits.stop();
        return "No more limits are asked for.";
      },
    },
    {
      path: "/accounts/:id/token",
      fields: {},
      async run(request) {
        const { id, alias } = await one(request);
        tokens.add([id]);
        return `The token of "${printable(alias)}" is being renewed.`;
      },
    },
    {
      path: "/tokens",
      fields: {},
      async run() {
        const ids = await all();
        tokens.add(ids);
        return `The tokens of ${count(ids.length)} are being renewed.`;
      },
    },
    {
      path: "/tokens/stop",
      fields: {},
      run() {
        tokens.stop();
        return "No more tokens are renewed; one that has begun ends first.";
      },
    },
  ];
}

function sourceOf({ text }: ActionRequest): LimitSource {
  const asked = text("source") || "auto";
  const source = SOURCES.find((source) => source === asked);
  if (source) return source;
  throw new Failure(`There is no source "${printable(asked)}".`, `Sources: ${SOURCES.join(", ")}.`);
}

function count(accounts: number): string {
  return accounts === 1 ? "1 account" : `${accounts} accounts`;
}
