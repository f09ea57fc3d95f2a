import { join } from "node:path";
import { systemClock } from "../../src/platform/clock.ts";
import { type Environment, resolvePaths } from "../../src/platform/paths.ts";
import type { Change } from "../../src/store/account_changes.ts";
import { addAccount } from "../../src/store/account_roster.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../../tests/simulated_account.ts";
import { startSimulator } from "../../tests/simulator/simulator.ts";
import { startLeanBackend } from "./backend.ts";

/** A backend and a store with accounts, for programs that are measured. */
export interface Stage {
  readonly backendUrl: string;
  /** What the programs get for an environment. */
  readonly env: Record<string, string>;
  /** For a bare `fetch` as the first account. */
  readonly token: string;
  readonly workspace: string;
  /** A folder that is thrown away at the end. */
  readonly folder: string;
  close(): Promise<void>;
}

/**
 * Sets the stage.
 *
 * @param options.accounts How many are in the store.
 * @param options.passphrase Seals the store.
 */
export async function setStage(
  options: { readonly accounts: number; readonly passphrase?: string },
): Promise<Stage> {
  const folder = Deno.makeTempDirSync({ prefix: "opencode-multi-auth-bench-" });
  const simulator = await startSimulator();
  const backend = await startLeanBackend();
  const env: Record<string, string> = {
    HOME: folder,
    OPENCODE_MULTI_AUTH_STORE_DIR: join(folder, "store"),
    OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    OPENCODE_MULTI_AUTH_BACKEND_URL: backend.url,
    ...(options.passphrase === undefined
      ? {}
      : { CODEX_SOFT_STORE_PASSPHRASE: options.passphrase }),
  };
  const store = await openLocalStore({
    paths: resolvePaths(env as Environment),
    env,
    clock: systemClock,
  });
  const first = await storePlan(store, simulator.addPlan({ name: "account-0" }));
  const others = Array.from({ length: options.accounts - 1 }, (_, n) => {
    const plan = simulator.addPlan({ name: `account-${n + 1}` });
    const { workspaceId, userId, accountUserId: memberId } = plan;
    return {
      ...first,
      id: `${first.id}-${n}`,
      alias: plan.name,
      credentials: plan.issueTokens(),
      identity: { workspaceId, userId, memberId },
    };
  });
  // At once: saving one after the other would take a thousand growing files.
  await store.files.change((entries) =>
    others.reduce<Change<void>>(
      (change, account) => addAccount(change.entries ?? entries, account),
      { result: undefined },
    )
  );
  await store.close();
  return {
    backendUrl: backend.url,
    env,
    token: first.credentials.accessToken,
    workspace: first.identity?.workspaceId ?? "",
    folder,
    async close() {
      await Promise.all([simulator.close(), backend.close()]);
      Deno.removeSync(folder, { recursive: true });
    },
  };
}
