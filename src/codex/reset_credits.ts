import type { Account } from "../account/account.ts";
import type { Clock } from "../platform/clock.ts";
import { asNumber, asObject } from "../platform/json.ts";
import { PROGRAM, VERSION } from "../platform/version.ts";
import { accountHeaders } from "./request.ts";

/** Longest that the backend may take, in milliseconds. */
const LIMIT_MS = 15_000;

/** An account's credits that each reset a limit early. */
export interface ResetCredits {
  /** How many can be used; absent where the backend does not say. */
  readonly resetCredits?: number;
  /** As the backend lists them: `{id, status, expires_at, …}`. */
  readonly resetCreditList: readonly unknown[];
}

/**
 * Asks for an account's reset credits. Costs no quota, and uses none of them.
 *
 * @returns undefined when it is not known. Never rejects.
 */
export async function fetchResetCredits(
  account: Account,
  options: { fetch: typeof fetch; backend: string; clock: Clock; signal: AbortSignal },
): Promise<ResetCredits | undefined> {
  const limit = new AbortController();
  const cancel = options.clock.after(LIMIT_MS, () => limit.abort(), { background: true });
  try {
    const response = await options.fetch(`${options.backend}/wham/rate-limit-reset-credits`, {
      headers: {
        ...Object.fromEntries(accountHeaders(account)),
        accept: "application/json",
        "user-agent": `${PROGRAM}/${VERSION}`,
      },
      signal: AbortSignal.any([options.signal, limit.signal]),
      redirect: "manual",
    });
    const text = await response.text();
    const body = response.ok ? asObject(JSON.parse(text)) : undefined;
    const list = body?.["credits"];
    if (!Array.isArray(list)) return undefined;
    const count = asNumber(body?.["available_count"]);
    return {
      ...(count === undefined ? {} : { resetCredits: count }),
      resetCreditList: list.map((one: unknown) => {
        const { id, status, expires_at } = asObject(one) ?? {};
        return { id, status, expires_at };
      }),
    };
  } catch {
    return undefined;
  } finally {
    cancel();
  }
}
