import type { Account } from "../account/account.ts";
import { resolveEndpoints } from "../platform/endpoints.ts";
import type { Context } from "./context.ts";

/** Which of these accounts the Codex CLI of this machine holds; undefined where that cannot be told. */
export async function onDevice(
  context: Context,
  accounts: readonly Account[],
): Promise<Account | undefined> {
  const { accountOnDevice } = await import("../codex_cli/on_device.ts");
  try {
    const { issuer } = resolveEndpoints(context.env);
    return await accountOnDevice(context.env, accounts, { issuer, now: context.clock.now() });
  } catch {
    // An address override or a setting that is refused is said by whoever needs it.
    return undefined;
  }
}

/** Whether the Codex CLI of this machine holds this account. */
export async function isOnDevice(context: Context, account: Account): Promise<boolean> {
  return await onDevice(context, [account]) !== undefined;
}
