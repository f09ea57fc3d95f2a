/**
 * A simulated person's plan: who it is, what is left of it, how it misbehaves.
 *
 * @module
 */
import type { Clock } from "../../src/platform/clock.ts";
import { checkFault, type Endpoint, type Fault, FaultQueue, type TokenFault } from "./faults.ts";
import { uuidOf } from "./identifiers.ts";
import { Quota, type WindowOptions } from "./quota.ts";
import type { Holder } from "./jwt.ts";
import { ACCESS_TOKEN_LIFETIME_MS, type IssuedTokens, type TokenVault } from "./tokens.ts";

/** Who a plan is and how much it has. Whatever is left out follows from the name. */
export interface PlanOptions {
  /** What tests call it; in default answers it says who served. */
  name: string;
  /** Default `<name>@plans.example`. */
  email?: string;
  /** `chatgpt_account_id`; two plans with the same one are two members of one workspace. Default a UUID. */
  workspaceId?: string;
  /** `chatgpt_user_id`; two plans with the same one are one person in two workspaces. Default `user-<UUID>`. */
  userId?: string;
  /** `chatgpt_account_user_id`, default `<userId>__<workspaceId>`. */
  accountUserId?: string;
  /** Default `plus`. */
  planType?: string;
  /** Default five hours and a week, both unused and free of cost. */
  windows?: WindowOptions[];
  /** Milliseconds, default ten days. */
  accessTokenLifetimeMs?: number;
  /** Models that the plan may use and sees in its list. Default: any, and the list of the fixtures. */
  models?: string[];
  /** Credits that each reset a limit early, as the backend lists them. Default none. */
  resetCredits?: { id: string; status: string; expires_at: number }[];
  /**
   * When an answer is booked on the windows. `end` (default): before its last event, so its own
   * headers do not know it yet and the next request meets the refusal. `start`: before its headers,
   * so that these may already say 100 %.
   */
  chargeAt?: "start" | "end";
}

/** A plan, as tests hold it. */
export interface SimulatedPlan extends Holder {
  /** As if the person had just signed in, without HTTP. */
  issueTokens(options?: { expiresInMs?: number }): IssuedTokens;
  /** Makes tokens from elsewhere (a fixture) good for this plan. */
  adoptTokens(tokens: { accessToken?: string; refreshToken?: string }): void;
  /** Sets a window by its length in minutes; `resetsInMs` in milliseconds, default as it stands. */
  setUsed(minutes: number, percent: number, resetsInMs?: number): void;
  /** Percent used of the window of that length. */
  used(minutes: number): number;
  /** Scripts a fault of one endpoint (default `responses`, default once). Taken in order, only by requests with a good token. */
  fail(fault: Fault, times?: number, on?: Endpoint): void;
  /** Scripts a fault of the token endpoint for calls with this plan's codes and refresh tokens. */
  failToken(fault: TokenFault, times?: number): void;
  /** Forgets all faults that have not happened yet, those of the token endpoint too. */
  clearFaults(): void;
  /** All access tokens handed out so far get 401 `token_invalidated`; refresh tokens stay good. */
  invalidateAccessTokens(): void;
  /** All refresh tokens handed out so far get 401 `refresh_token_invalidated`; access tokens stay good. */
  revokeRefreshTokens(): void;
  /** Answers completed. */
  readonly served: number;
}

/** A plan from inside. */
export class Plan implements SimulatedPlan {
  readonly name: string;
  readonly email: string;
  readonly workspaceId: string;
  readonly userId: string;
  readonly accountUserId: string;
  readonly planType: string;
  readonly accessTokenLifetimeMs: number;
  readonly chargeAt: "start" | "end";
  /** Undefined: every model. */
  readonly models: readonly string[] | undefined;
  readonly resetCredits: NonNullable<PlanOptions["resetCredits"]>;
  readonly quota: Quota;
  readonly faults = new FaultQueue<Fault, Endpoint>();
  readonly tokenFaults = new FaultQueue<TokenFault, "token">();
  /** Answers begun. */
  begun = 0;
  served = 0;
  readonly #vault: TokenVault;

  constructor(options: PlanOptions, clock: Clock, vault: TokenVault) {
    this.name = options.name;
    this.email = options.email ?? `${options.name}@plans.example`;
    this.workspaceId = options.workspaceId ?? uuidOf(`workspace of ${options.name}`);
    this.userId = options.userId ?? `user-${uuidOf(`user of ${options.name}`)}`;
    this.accountUserId = options.accountUserId ?? `${this.userId}__${this.workspaceId}`;
    this.planType = options.planType ?? "plus";
    this.accessTokenLifetimeMs = options.accessTokenLifetimeMs ?? ACCESS_TOKEN_LIFETIME_MS;
    this.chargeAt = options.chargeAt ?? "end";
    this.models = options.models;
    this.resetCredits = options.resetCredits ?? [];
    this.quota = new Quota(clock, options.windows ?? [{ minutes: 300 }, { minutes: 10_080 }]);
    this.#vault = vault;
  }

  issueTokens(options: { expiresInMs?: number } = {}): IssuedTokens {
    return this.#vault.issue(this, undefined, options.expiresInMs);
  }

  adoptTokens(tokens: { accessToken?: string; refreshToken?: string }): void {
    this.#vault.adopt(this, tokens);
  }

  setUsed(minutes: number, percent: number, resetsInMs?: number): void {
    this.quota.setUsed(minutes, percent, resetsInMs);
  }

  used(minutes: number): number {
    return this.quota.used(minutes);
  }

  fail(fault: Fault, times = 1, on: Endpoint = "responses"): void {
    checkFault(fault, on);
    this.faults.add(fault, on, times);
  }

  failToken(fault: TokenFault, times = 1): void {
    this.tokenFaults.add(fault, "token", times);
  }

  clearFaults(): void {
    this.faults.clear();
    this.tokenFaults.clear();
  }

  invalidateAccessTokens(): void {
    this.#vault.invalidateAccess(this.name);
  }

  revokeRefreshTokens(): void {
    this.#vault.revokeRefresh(this.name);
  }
}
