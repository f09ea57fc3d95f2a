import { type Clock, sleep } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { exchangeCode } from "./code_exchange.ts";
import { errorCodeOf, type JsonObject, jsonObject } from "./error_code.ts";
import { CLIENT_ID, issuerEndpoints } from "./issuer.ts";
import { cancelled, refused, unanswered } from "./issuer_failure.ts";
import { type IssuerNetwork, send, type Sent } from "./request.ts";
import type { Tokens } from "./tokens.ts";

/** What a person needs to sign in on another device. */
export interface DeviceCode {
  /** The page to open anywhere. */
  readonly url: string;
  /** What to enter there. */
  readonly userCode: string;
  /** When it ends, epoch milliseconds. */
  readonly expiresAt: number;
  /** Names this login at the issuer. Secret. */
  readonly deviceAuthId: string;
  /** Pause between two polls, in milliseconds. */
  readonly pauseMs: number;
}

/** How long the issuer keeps a device code, in milliseconds; the Codex CLI gives up then too. */
const LIFE_MS = 15 * 60_000;
/** Pause when the issuer names none, in seconds. */
const INTERVAL_S = 5;
/** Added to the issuer's interval, in milliseconds, as OpenCode does: polling too early only brings refusals. */
const MARGIN_MS = 3_000;
/** Added to the pause when the issuer asks for patience, in milliseconds (RFC 8628, 3.5). */
const SLOW_DOWN_MS = 5_000;

/**
 * Asks for a device code.
 *
 * @throws {Failure} when the issuer cannot be reached or gives none.
 */
export async function requestDeviceCode(network: IssuerNetwork): Promise<DeviceCode> {
  const { issuer, clock } = network;
  const endpoints = issuerEndpoints(issuer);
  const sent = await send(network, endpoints.deviceUserCode, post({ client_id: CLIENT_ID }));
  if (sent.kind !== "answered") throw unanswered(issuer, sent);
  if (sent.status === 404) {
    throw new Failure(
      `${issuer} has no sign-in with a device code.`,
      "Sign in with the browser or a pasted callback instead.",
    );
  }
  const json = sent.status === 200 ? jsonObject(sent.body) : undefined;
  const deviceAuthId = textOf(json, "device_auth_id");
  const userCode = textOf(json, "user_code");
  if (deviceAuthId === undefined || userCode === undefined || !/^[\w -]{1,64}$/.test(userCode)) {
    throw refused(issuer, "give a device code", sent);
  }
  return {
    url: endpoints.devicePage,
    userCode,
    expiresAt: clock.now() + LIFE_MS,
    deviceAuthId,
    pauseMs: intervalOf(json) * 1000 + MARGIN_MS,
  };
}

/**
 * Waits until the person has entered the code, and exchanges what the issuer
 * gives then. Trouble on the way is waited out; only the issuer's word or the
 * end of the code's life ends it.
 *
 * @throws {Failure} when the person refuses, the code expires, the exchange fails or the signal aborts.
 */
export async function waitForDevice(network: IssuerNetwork, code: DeviceCode): Promise<Tokens> {
  const { issuer, clock } = network;
  const endpoints = issuerEndpoints(issuer);
  let pauseMs = code.pauseMs;
  for (;;) {
    await pause(clock, Math.min(pauseMs, Math.max(code.expiresAt - clock.now(), 0)), network);
    const sent = await send(
      network,
      endpoints.deviceToken,
      post({ device_auth_id: code.deviceAuthId, user_code: code.userCode }),
    );
    if (sent.kind !== "answered" && sent.cause === "aborted") throw cancelled();
    if (sent.kind === "answered") {
      if (sent.status === 200) {
        const json = jsonObject(sent.body);
        const authorizationCode = textOf(json, "authorization_code");
        const verifier = textOf(json, "code_verifier");
        if (authorizationCode === undefined || verifier === undefined) {
          throw refused(issuer, "give a code for this device", sent);
        }
        return await exchangeCode({
          ...network,
          code: authorizationCode,
          redirectUri: endpoints.deviceRedirect,
          verifier,
        });
      }
      const verdict = verdictOf(sent);
      if (verdict === "end") throw ending(issuer, sent);
      if (verdict === "slower") pauseMs += SLOW_DOWN_MS;
    }
    if (clock.now() >= code.expiresAt) throw expired();
  }
}

type Answer = Extract<Sent, { kind: "answered" }>;

/** 403 and 404 mean that nobody has entered the code yet, whatever they say, unless they say that it is over. */
function verdictOf(answer: Answer): "wait" | "slower" | "end" {
  const code = errorCodeOf(jsonObject(answer.body)) ?? "";
  if (isDenied(code) || isExpired(code)) return "end";
  if (answer.status === 429 || code === "slow_down") return "slower";
  if (answer.status === 403 || answer.status === 404 || answer.status >= 500) return "wait";
  return code === "authorization_pending" ? "wait" : "end";
}

function ending(issuer: string, answer: Answer): Failure {
  const code = errorCodeOf(jsonObject(answer.body)) ?? "";
  if (isExpired(code)) return expired();
  if (isDenied(code)) {
    return new Failure(
      `The sign-in was refused (${code}).`,
      "Start the login again and allow access.",
    );
  }
  return refused(issuer, "go on with this device code", answer);
}

const isDenied = (code: string) => /(^|_)(denied|declined|rejected)$/.test(code);
const isExpired = (code: string) => /(^|_)expired(_|$)/.test(code);

function expired(): Failure {
  return new Failure(
    "The device code has expired before it was entered.",
    "Start the login again and enter the new code within 15 minutes.",
  );
}

async function pause(clock: Clock, ms: number, { signal }: IssuerNetwork): Promise<void> {
  await sleep(clock, ms, signal).catch(() => {
    throw cancelled();
  });
}

function post(body: JsonObject): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
}

function textOf(json: JsonObject | undefined, name: string): string | undefined {
  const value = json?.[name];
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** In seconds. The issuer sends it as text; a number would be as good. */
function intervalOf(json: JsonObject | undefined): number {
  const seconds = Number(json?.["interval"] ?? INTERVAL_S);
  return Number.isFinite(seconds) && seconds >= 0 && seconds <= 60 ? seconds : INTERVAL_S;
}
