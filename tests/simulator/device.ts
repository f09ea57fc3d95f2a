/**
 * Device login: a code to type in elsewhere, polled until somebody has approved it.
 *
 * @module
 */
import type { Clock } from "../../src/platform/clock.ts";
import { type Call, errorBody, jsonObject, send, sendJson } from "./http.ts";
import { type Identifiers, sha256Base64Url } from "./identifiers.ts";
import type { Plan } from "./plan.ts";
import type { Approvals, AuthorizationCodes } from "./sign_in.ts";
import { CLIENT_ID } from "./jwt.ts";
import { DEFAULT_SCOPE } from "./tokens.ts";

/** The end of a device login (protocol: 15 minutes). */
const DEVICE_LIFETIME_MS = 15 * 60_000;

/** How device logins go. */
export interface DeviceBehaviour {
  /** Polls answered with "pending" before the outcome; default 1. `Infinity` waits until somebody opens `/codex/device`. */
  pendingPolls?: number;
  /** What then happens; default `approve`. */
  outcome?: "approve" | "deny" | "expire";
  /** Seconds between polls, as the issuer writes them: a text. Default "5". */
  interval?: string;
  /** Status of "pending": 403 (default) or 404, both are met. */
  pendingStatus?: 403 | 404;
}

interface Login {
  readonly userCode: string;
  readonly expiresAt: number;
  polls: number;
  /** The plan, once somebody has approved. */
  plan: Plan | "access_denied" | undefined;
  done: boolean;
}

/** The device logins of one issuer. */
export class DeviceLogins {
  behaviour: DeviceBehaviour = {};
  readonly #logins = new Map<string, Login>();
  readonly #origin: string;
  readonly #clock: Clock;
  readonly #identifiers: Identifiers;
  readonly #codes: AuthorizationCodes;
  readonly #approvals: Approvals;

  constructor(options: {
    origin: string;
    clock: Clock;
    identifiers: Identifiers;
    codes: AuthorizationCodes;
    approvals: Approvals;
  }) {
    this.#origin = options.origin;
    this.#clock = options.clock;
    this.#identifiers = options.identifiers;
    this.#codes = options.codes;
    this.#approvals = options.approvals;
  }

  /** POST /api/accounts/deviceauth/usercode. */
  start({ response, body }: Call): void {
    if (jsonObject(body)?.client_id !== CLIENT_ID) {
      return sendJson(response, 400, errorBody("invalid_client", "Unknown client_id."));
    }
    const id = this.#identifiers.named("deviceauth");
    const userCode = this.#identifiers.userCode();
    const expiresAt = this.#clock.now() + DEVICE_LIFETIME_MS;
    this.#logins.set(id, { userCode, expiresAt, polls: 0, plan: undefined, done: false });
    sendJson(response, 200, {
      device_auth_id: id,
      user_code: userCode,
      interval: this.behaviour.interval ?? "5",
    });
  }

  /**
   * POST /api/accounts/deviceauth/token. 403 and 404 mean "pending" (seen); how the real issuer
   * says "denied" and "expired" is not known: here 400 with the codes of RFC 8628 (3.5).
   */
  poll({ response, body }: Call): void {
    const asked = jsonObject(body);
    const login = this.#logins.get(String(asked?.device_auth_id));
    if (!login || login.userCode !== asked?.user_code || login.done) return this.#pending(response);
    const { pendingPolls = 1, outcome = "approve" } = this.behaviour;
    login.polls++;
    const expired = login.expiresAt <= this.#clock.now();
    if (!expired && login.plan === undefined) {
      if (login.polls <= pendingPolls) return this.#pending(response);
      if (outcome === "approve") login.plan = this.#approvals.take();
    }
    if (expired || (login.plan === undefined && outcome === "expire")) {
      return sendJson(response, 400, errorBody("expired_token", "The device code has expired."));
    }
    if (login.plan === undefined || login.plan === "access_denied") {
      return sendJson(response, 400, errorBody("access_denied", "The person said no."));
    }
    login.done = true;
    const verifier = this.#identifiers.opaque(32);
    const challenge = sha256Base64Url(verifier);
    const redirectUri = `${this.#origin}/deviceauth/callback`;
    const code = this.#codes.mint({
      plan: login.plan,
      redirectUri,
      challenge,
      scope: DEFAULT_SCOPE,
    });
    sendJson(response, 200, {
      authorization_code: code,
      code_challenge: challenge,
      code_verifier: verifier,
    });
  }

  /** GET /codex/device: opening the page approves the oldest login that waits (or the one in `user_code`). */
  page({ response, url }: Call): void {
    const wanted = url.searchParams.get("user_code");
    const login = [...this.#logins.values()].find((candidate) =>
      candidate.plan === undefined && (wanted === null || candidate.userCode === wanted)
    );
    if (login) login.plan = this.#approvals.take();
    const text = login ? "You may close this page." : "No device login waits for approval.";
    send(response, login ? 200 : 404, `<!DOCTYPE html><title>Device</title><p>${text}</p>`, {
      "content-type": "text/html; charset=utf-8",
    });
  }

  #pending(response: Call["response"]): void {
    sendJson(response, this.behaviour.pendingStatus ?? 403, {
      error: { code: "deviceauth_authorization_unknown" },
    });
  }
}
