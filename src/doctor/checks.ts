import { CALLBACK_PORTS } from "../oauth/issuer.ts";
import { accountsCheck, type Renew } from "./accounts.ts";
import type { Check } from "./check.ts";
import { clockCheck } from "./clock.ts";
import { codexChecks } from "./codex.ts";
import { dashboardCheck } from "./dashboard.ts";
import { type Examination, examine } from "./examination.ts";
import { type See, storeSight } from "./look_only.ts";
import { networkChecks, servers } from "./network.ts";
import { openCodeFileChecks, type StoreLogin } from "./opencode.ts";
import { openCodeRunCheck } from "./opencode_run.ts";
import { loginPortsCheck } from "./ports.ts";
import { type FindManager, serviceCheck, servicePort } from "./service.ts";
import { storeChecks } from "./store.ts";
import type { Surroundings } from "./surroundings.ts";

/** What the checks need of others to mend what they find, or to look. */
export interface Means {
  readonly storeLogin: StoreLogin;
  readonly renew: Renew;
  readonly findManager: FindManager;
  /** Ports that a login in the browser can use (default: those that the issuer knows). */
  readonly loginPorts?: readonly number[] | undefined;
}

/** Makes all looks once, and gives them in the order of the report. */
export async function examineAll(
  surroundings: Surroundings,
  means: Means,
): Promise<Examination> {
  const sight = storeSight(surroundings);
  try {
    return await examine(allChecks(surroundings, means, sight.see), surroundings.clock);
  } finally {
    await sight.close();
  }
}

function allChecks(surroundings: Surroundings, means: Means, see: See): readonly Check[] {
  const reachable = servers(surroundings);
  return [
    ...storeChecks(surroundings, see),
    accountsCheck(surroundings, means.renew, see),
    ...openCodeFileChecks(surroundings, means.storeLogin),
    openCodeRunCheck(surroundings),
    ...codexChecks(surroundings, see),
    loginPortsCheck(means.loginPorts ?? CALLBACK_PORTS),
    dashboardCheck(surroundings, () => servicePort(means.findManager)),
    serviceCheck(means.findManager),
    ...networkChecks(surroundings, reachable),
    clockCheck(surroundings, reachable),
  ];
}
