/**
 * Tokens and their families: who an access token stands for, single-use refresh tokens that rotate,
 * and what happens to a family when one of them is used twice.
 *
 * @module
 */
import type { Clock } from "../../src/platform/clock.ts";
import type { Identifiers } from "./identifiers.ts";
import { accessTokenOf, expiryOf, type Holder, idTokenOf, type Stamp } from "./jwt.ts";

/** Access tokens live about ten days (reported by several projects). */
export const ACCESS_TOKEN_LIFETIME_MS = 10 * 24 * 3_600_000;

/** The scope of a sign-in that does not say otherwise. */
export const DEFAULT_SCOPE = "openid profile email offline_access";

/** What a sign-in or a refresh hands out. */
export interface IssuedTokens {
  accessToken: string;
  /** Empty when the scope did not ask for `offline_access`. */
  refreshToken: string;
  idToken: string;
  /** Expiry of the access token, epoch milliseconds (whole seconds, as in the token). */
  expiresAt: number;
}

/** The backend's view of a bearer token. */
export type AccessVerdict =
  | { ok: true; holder: Holder; label: string }
  | { ok: false; holder: Holder | null; label: string; error: AccessError };

/** Why a bearer token is refused; `unknown` was never handed out here. */
export type AccessError = "unknown" | "token_expired" | "token_invalidated" | "token_revoked";

/** The issuer's view of a refresh token. */
export type RefreshVerdict =
  | { ok: true; family: Family }
  | { ok: false; holder: Holder | null; error: RefreshError };

/** Why a refresh token is refused; `invalid_grant` was never handed out here. */
export type RefreshError = "invalid_grant" | "refresh_token_reused" | "refresh_token_invalidated";

/** All tokens that go back to one sign-in. */
interface Family {
  readonly holder: Holder;
  readonly scope: string;
  current: string;
  revoked: boolean;
}

interface AccessToken {
  readonly family: Family;
  readonly expiresAt: number;
  readonly label: string;
  invalidated: boolean;
}

/** Every token the issuer has handed out. */
export class TokenVault {
  readonly #clock: Clock;
  readonly #identifiers: Identifiers;
  readonly #issuer: string;
  readonly #revokeFamilyOnReuse: boolean;
  readonly #access = new Map<string, AccessToken>();
  readonly #refresh = new Map<string, Family>();
  readonly #count = new Map<string, number>();

  constructor(options: {
    clock: Clock;
    identifiers: Identifiers;
    issuer: string;
    revokeFamilyOnReuse: boolean;
  }) {
    this.#clock = options.clock;
    this.#identifiers = options.identifiers;
    this.#issuer = options.issuer;
    this.#revokeFamilyOnReuse = options.revokeFamilyOnReuse;
  }

  /** A sign-in: a new family. */
  issue(holder: Holder, scope: string = DEFAULT_SCOPE, expiresInMs?: number): IssuedTokens {
    return this.#next({ holder, scope, current: "", revoked: false }, expiresInMs);
  }

  /** Makes tokens from elsewhere (a fixture, an older run) good here, as a family of their own. */
  adopt(holder: Holder, tokens: { accessToken?: string; refreshToken?: string }): void {
    const family: Family = { holder, scope: DEFAULT_SCOPE, current: "", revoked: false };
    if (tokens.accessToken !== undefined) {
      this.#keepAccess(tokens.accessToken, family, expiryOf(tokens.accessToken) ?? Infinity);
    }
    if (tokens.refreshToken !== undefined) {
      family.current = tokens.refreshToken;
      this.#refresh.set(tokens.refreshToken, family);
    }
  }

  /** What the backend thinks of a bearer token now. */
  checkAccess(token: string): AccessVerdict {
    const known = this.#access.get(token);
    if (!known) return { ok: false, holder: null, label: "[unknown token]", error: "unknown" };
    const { label, family } = known;
    const refuse = (error: AccessError): AccessVerdict => ({
      ok: false,
      holder: family.holder,
      label,
      error,
    });
    if (family.revoked) return refuse("token_revoked");
    if (known.invalidated) return refuse("token_invalidated");
    if (known.expiresAt <= this.#clock.now()) return refuse("token_expired");
    return { ok: true, holder: family.holder, label };
  }

  /**
   * What the issuer thinks of a refresh token. A look at a used one is not innocent: it revokes the
   * family, live access tokens included, unless the simulator was told otherwise.
   */
  checkRefresh(token: string): RefreshVerdict {
    const family = this.#refresh.get(token);
    if (!family) return { ok: false, holder: null, error: "invalid_grant" };
    const { holder } = family;
    if (family.current !== token) {
      if (this.#revokeFamilyOnReuse) family.revoked = true;
      return { ok: false, holder, error: "refresh_token_reused" };
    }
    if (family.revoked) return { ok: false, holder, error: "refresh_token_invalidated" };
    return { ok: true, family };
  }

  /** Whose refresh token it is, without touching it. */
  holderOf(refreshToken: string): Holder | null {
    return this.#refresh.get(refreshToken)?.holder ?? null;
  }

  /** New tokens of a family; the refresh token before is used up unless `keepRefreshToken`. */
  rotate(family: Family, keepRefreshToken = false): IssuedTokens {
    return this.#next(family, undefined, keepRefreshToken);
  }

  /** RFC 7009: the token's whole family ends. Whose it was, or null for an unknown token. */
  revoke(token: string): Holder | null {
    const family = this.#refresh.get(token) ?? this.#access.get(token)?.family;
    if (!family) return null;
    family.revoked = true;
    return family.holder;
  }

  /** Access tokens of a plan become `token_invalidated`; their refresh tokens stay good. */
  invalidateAccess(name: string): void {
    for (const token of this.#access.values()) {
      if (token.family.holder.name === name) token.invalidated = true;
    }
  }

  /** Refresh tokens of a plan become `refresh_token_invalidated`; access tokens live on. */
  revokeRefresh(name: string): void {
    for (const [token, family] of this.#refresh) {
      if (family.holder.name !== name || family.current !== token) continue;
      // A family of its own, so that the access tokens of the old one stay as they are.
      this.#refresh.set(token, { ...family, revoked: true });
    }
  }

  #next(family: Family, expiresInMs?: number, keepRefreshToken = false): IssuedTokens {
    const { holder } = family;
    const now = this.#clock.now();
    const lifetime = expiresInMs ?? holder.accessTokenLifetimeMs;
    const iat = Math.floor(now / 1000);
    const exp = Math.floor((now + lifetime) / 1000);
    const accessToken = accessTokenOf(this.#stamp(holder, iat, exp), holder, family.scope);
    const idToken = idTokenOf(this.#stamp(holder, iat, exp), holder);
    this.#keepAccess(accessToken, family, exp * 1000);
    if (!keepRefreshToken && family.scope.split(" ").includes("offline_access")) {
      family.current = `rt_${this.#identifiers.opaque(32)}`;
      this.#refresh.set(family.current, family);
    }
    return { accessToken, refreshToken: family.current, idToken, expiresAt: exp * 1000 };
  }

  #keepAccess(token: string, family: Family, expiresAt: number): void {
    const name = family.holder.name;
    const number = (this.#count.get(name) ?? 0) + 1;
    this.#count.set(name, number);
    const label = `[access token ${number} of ${name}]`;
    this.#access.set(token, { family, expiresAt, label, invalidated: false });
  }

  #stamp(holder: Holder, iat: number, exp: number): Stamp {
    return {
      iss: this.#issuer,
      sub: `auth0|${holder.userId}`,
      iat,
      exp,
      jti: this.#identifiers.opaque(16),
    };
  }
}
