import type { Account } from "../account/account.ts";
import type { Refresher } from "../oauth/refresh_transaction.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";

/** Pause before a part that could not be loaded is asked for again, in milliseconds. */
const RETRY_MS = 15_000;

/**
 * A refresher that is loaded when the first token is to be renewed. Where that
 * fails, because an update is replacing the plugin, nothing is sent and nobody
 * is set aside: an access token that lives serves on.
 *
 * @param load Gives the real one; called again after a failure.
 */
export function lateRefresher(
  load: () => Promise<Refresher>,
  clock: Clock,
  log: Log,
): Refresher {
  let loading: Promise<Refresher> | undefined;
  const real = () =>
    loading ??= load().catch((error) => {
      loading = undefined;
      throw error;
    });
  const why = "A part of the plugin is missing, since it was updated. Restart OpenCode.";
  const without = (account: Account, rejected: boolean) =>
    !rejected && account.credentials.expiresAt > clock.now()
      ? { kind: "kept", account, why } as const
      : { kind: "failed", retryAt: clock.now() + RETRY_MS, why } as const;
  return {
    async refresh(account, rejected) {
      let refresher: Refresher;
      try {
        refresher = await real();
      } catch {
        log.warn(`${account.alias}: ${why}`);
        return without(account, rejected);
      }
      return await refresher.refresh(account, rejected);
    },
    settled: async () => await (await loading?.catch(() => undefined))?.settled(),
  };
}
