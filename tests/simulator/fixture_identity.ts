import { readFileSync } from "node:fs";
import type { PlanOptions } from "./plan.ts";

interface FixtureIdentity {
  email: string;
  workspace: string;
  user: string;
  accountUserId: string;
  plan: string;
  refreshToken: string;
  accessTokenValidTo2100: string;
}

/** The people of `tests/fixtures/identities.json`. */
export type FixtureName = "personal" | "work" | "mate" | "side" | "backup";

/**
 * One of the fixtures' people, for `addPlan` and `adoptTokens`: work and mate share a workspace,
 * personal and side share email and person.
 */
export function fixtureIdentity(
  name: FixtureName,
): { plan: PlanOptions; tokens: { accessToken: string; refreshToken: string } } {
  const file = new URL("../fixtures/identities.json", import.meta.url);
  const { identities } = JSON.parse(readFileSync(file, "utf8")) as {
    identities: Record<FixtureName, FixtureIdentity>;
  };
  const identity = identities[name];
  return {
    plan: {
      name,
      email: identity.email,
      workspaceId: identity.workspace,
      userId: identity.user,
      accountUserId: identity.accountUserId,
      planType: identity.plan,
    },
    tokens: {
      accessToken: identity.accessTokenValidTo2100,
      refreshToken: identity.refreshToken,
    },
  };
}
