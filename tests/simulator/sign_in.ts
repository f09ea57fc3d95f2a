/**
 * Authorization codes: minted by the authorize page or by a device login, redeemed once.
 *
 * @module
 */
import type { Clock } from "../../src/platform/clock.ts";
import { type Identifiers, sha256Base64Url } from "./identifiers.ts";
import type { Plan } from "./plan.ts";

/** RFC 6749 (4.1.2) recommends ten minutes as the longest life of a code. */
const CODE_LIFETIME_MS = 10 * 60_000;

/** What a code was minted for. */
export interface Grant {
  readonly plan: Plan;
  readonly redirectUri: string;
  readonly challenge: string;
  readonly scope: string;
}

/** Why a code is not redeemed, in words for `error_description`. */
export type CodeRefusal = { plan: Plan | null; description: string };

/** The codes that are out. */
export class AuthorizationCodes {
  readonly #clock: Clock;
  readonly #identifiers: Identifiers;
  readonly #codes = new Map<string, Grant & { expiresAt: number; used: boolean }>();

  constructor(clock: Clock, identifiers: Identifiers) {
    this.#clock = clock;
    this.#identifiers = identifiers;
  }

  /** A new code, good once and for ten minutes. */
  mint(grant: Grant): string {
    const code = `ac_${this.#identifiers.opaque(24)}`;
    const expiresAt = this.#clock.now() + CODE_LIFETIME_MS;
    this.#codes.set(code, { ...grant, expiresAt, used: false });
    return code;
  }

  /** Whose code it is, without redeeming it. */
  planOf(code: string): Plan | null {
    return this.#codes.get(code)?.plan ?? null;
  }

  /** Redeems a code; a wrong verifier or redirect address leaves it unused. */
  redeem(code: string, verifier: string, redirectUri: string): Grant | CodeRefusal {
    const known = this.#codes.get(code);
    if (!known) return { plan: null, description: "Unknown authorization code." };
    const refuse = (description: string) => ({ plan: known.plan, description });
    if (known.used) return refuse("The authorization code has already been used.");
    if (known.expiresAt <= this.#clock.now()) {
      return refuse("The authorization code has expired.");
    }
    if (known.redirectUri !== redirectUri) {
      return refuse("redirect_uri is not the one of the authorization request.");
    }
    if (sha256Base64Url(verifier) !== known.challenge) {
      return refuse("code_verifier does not match the code_challenge.");
    }
    known.used = true;
    return known;
  }
}

/** Who approves: the plans in the order they were added, round and round, unless a test said who is next. */
export class Approvals {
  readonly #plans: ReadonlyMap<string, Plan>;
  readonly #next: (string | { refuse: "access_denied" })[] = [];
  #turn = 0;

  constructor(plans: ReadonlyMap<string, Plan>) {
    this.#plans = plans;
  }

  /** @throws {Error} for a name that no plan has. */
  approveNext(who: string | { refuse: "access_denied" }): void {
    if (typeof who === "string" && !this.#plans.has(who)) {
      throw new Error(`No plan is called "${who}"; add it with addPlan first.`);
    }
    this.#next.push(who);
  }

  /** The person in front of the page, or their refusal. Undefined while there is no plan at all. */
  take(): Plan | "access_denied" | undefined {
    const scripted = this.#next.shift();
    if (typeof scripted === "object") return scripted.refuse;
    if (scripted !== undefined) return this.#plans.get(scripted);
    const plans = [...this.#plans.values()];
    return plans[this.#turn++ % plans.length];
  }
}
