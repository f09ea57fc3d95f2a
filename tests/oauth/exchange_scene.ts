import type { Credentials } from "../../src/account/account.ts";
import { exchangeRefreshToken, type RefreshResult } from "../../src/oauth/refresh.ts";
import { FIXTURE_NOW, VirtualClock } from "../virtual_clock.ts";

/** What is renewed. */
export const OLD: Credentials = {
  accessToken: "opaque-old-access",
  refreshToken: "rt_old_refresh_token_1",
  idToken: "old.id.token",
  expiresAt: FIXTURE_NOW + 60_000,
};

/** A refresh against one scripted answer, without a socket. */
export function refreshWith(respond: () => Response | Promise<Response>): Promise<RefreshResult> {
  return exchangeRefreshToken({
    issuer: "https://issuer.example",
    fetch: async () => await respond(),
    clock: new VirtualClock(),
    credentials: OLD,
  });
}

/** An answer with this body. */
export const json = (body: unknown, init?: ResponseInit) => () =>
  new Response(typeof body === "string" ? body : JSON.stringify(body), init);
