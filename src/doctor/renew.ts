import { printable } from "../account/alias.ts";
import { createClient } from "../codex/client.ts";
import type { RefreshOutcome } from "../oauth/refresh_transaction.ts";
import { fileLog } from "../platform/log.ts";
import { PROGRAM } from "../platform/version.ts";
import type { Renew } from "./accounts.ts";
import type { Surroundings } from "./surroundings.ts";

/** Renews tokens as a request would: one after the other, each noted before it is sent. */
export function renewTokens({ env, clock, random, fetch, paths }: Surroundings): Renew {
  return async (ids) => {
    const log = fileLog({ path: paths.log, clock });
    const client = await createClient({ env, clock, random, fetch, log });
    const failures: string[] = [];
    try {
      const { accounts } = await client.store.load();
      for (const account of accounts.filter(({ id }) => ids.includes(id))) {
        const outcome = await client.refresher.refresh(account, false);
        const why = failure(outcome);
        if (why !== undefined) failures.push(`"${printable(account.alias)}" ${why}`);
      }
    } finally {
      await client.close();
      await log.flush();
    }
    return failures;
  };
}

function failure(outcome: RefreshOutcome): string | undefined {
  switch (outcome.kind) {
    case "fresh":
    case "gone":
      return undefined;
    case "kept":
    case "failed":
      return `could not be renewed now; its tokens are as good as before. ${
        outcome.why ?? "Try again later."
      }`;
    case "set aside":
      return `needs login. Sign in: ${PROGRAM} add ${printable(outcome.account.alias)}`;
  }
}
