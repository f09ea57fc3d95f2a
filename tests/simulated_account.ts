import type { Account } from "../src/account/account.ts";
import { admit } from "../src/store/admission.ts";
import type { Store } from "../src/store/store.ts";
import type { SimulatedPlan } from "./simulator/simulator.ts";

/**
 * Stores a simulated plan as an account of the same name, as if its person had just signed in; an
 * account of that name is signed in again.
 *
 * @param expiresInMs Life of its access token, in milliseconds (default: the plan's).
 */
export async function storePlan(
  store: Store,
  plan: SimulatedPlan,
  expiresInMs?: number,
): Promise<Account> {
  const { name, email, planType, workspaceId, userId, accountUserId } = plan;
  const credentials = plan.issueTokens(expiresInMs === undefined ? {} : { expiresInMs });
  const { account } = await admit(
    store,
    name,
    {
      credentials,
      identity: { workspaceId, userId, memberId: accountUserId },
      email,
      plan: planType,
    },
    "login",
    Date.now(),
  );
  return account;
}
