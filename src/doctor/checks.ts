import { accountsCheck, type Renew } from "./accounts.ts";
import type { Check } from "./check.ts";
import { clockCheck } from "./clock.ts";
import { codexChecks } from "./codex.ts";
import { networkChecks, servers } from "./network.ts";
import { openCodeFileChecks, type StoreLogin } from "./opencode.ts";
import { openCodeRunCheck } from "./opencode_run.ts";
import { type IsOurs, portChecks } from "./ports.ts";
import { storeChecks } from "./store.ts";
import type { Surroundings } from "./surroundings.ts";

/** What the checks need of others to mend what they find, or to look. */
export interface Means {
  readonly storeLogin: StoreLogin;
  readonly renew: Renew;
  readonly isOurDashboard: IsOurs;
  /** Checks that are made elsewhere; they come last. */
  readonly further?: readonly Check[];
}

/** All checks, in the order of the report. */
export function allChecks(surroundings: Surroundings, means: Means): readonly Check[] {
  const reachable = servers(surroundings);
  return [
    ...storeChecks(surroundings),
    accountsCheck(surroundings, means.renew),
    ...openCodeFileChecks(surroundings, means.storeLogin),
    openCodeRunCheck(surroundings),
    ...codexChecks(surroundings),
    ...portChecks(surroundings, means.isOurDashboard),
    ...means.further ?? [],
    ...networkChecks(surroundings, reachable),
    clockCheck(surroundings, reachable),
  ];
}
