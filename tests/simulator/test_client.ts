/**
 * What the simulator's own tests say to it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { SimulatedPlan, Simulator } from "./simulator.ts";
import { CLIENT_ID } from "./jwt.ts";

/** PKCE verifier of the tests, 43 characters. */
export const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/** The smallest body of a model turn that the backend takes. */
export const TURN = {
  model: "gpt-5.5",
  instructions: "Be brief.",
  input: [{ role: "user", content: [{ type: "input_text", text: "say hi" }] }],
  store: false,
  stream: true,
  include: ["reasoning.encrypted_content"],
  reasoning: { effort: "medium" },
};

/** Sends a model turn with the plan's workspace. */
export function postTurn(
  simulator: Simulator,
  plan: SimulatedPlan,
  accessToken: string,
  options: {
    body?: unknown;
    headers?: Record<string, string>;
    signal?: AbortSignal;
  } = {},
): Promise<Response> {
  return fetch(`${simulator.backendUrl}/codex/responses`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...bearer(plan, accessToken),
      ...options.headers,
    },
    body: JSON.stringify(options.body ?? TURN),
    ...(options.signal ? { signal: options.signal } : {}),
  });
}

/** The headers of every backend request. */
export function bearer(plan: SimulatedPlan, accessToken: string): Record<string, string> {
  return { authorization: `Bearer ${accessToken}`, "chatgpt-account-id": plan.workspaceId };
}

/** Asks the backend for JSON. */
export function getBackend(
  simulator: Simulator,
  plan: SimulatedPlan,
  accessToken: string,
  path: string,
): Promise<Response> {
  return fetch(`${simulator.backendUrl}${path}`, { headers: bearer(plan, accessToken) });
}

/** An authorization request that the issuer takes, with some parameters changed (null = left out). */
export function authorizeUrl(
  simulator: Simulator,
  changes: Record<string, string | null> = {},
): string {
  const url = new URL(`${simulator.issuerUrl}/oauth/authorize`);
  const query: Record<string, string | null> = {
    response_type: "code",
    client_id: CLIENT_ID,
    redirect_uri: "http://localhost:1455/auth/callback",
    scope: "openid profile email offline_access",
    code_challenge: createHash("sha256").update(VERIFIER).digest("base64url"),
    code_challenge_method: "S256",
    state: "state-of-the-test",
    ...changes,
  };
  for (const [name, value] of Object.entries(query)) {
    if (value !== null) url.searchParams.set(name, value);
  }
  return url.href;
}

/** Opens the authorize page and gives the address it sends the browser back to. */
export async function approve(
  simulator: Simulator,
  changes: Record<string, string | null> = {},
): Promise<URL> {
  const response = await fetch(authorizeUrl(simulator, changes), { redirect: "manual" });
  await response.body?.cancel();
  return new URL(response.headers.get("location") ?? "missing:");
}

/** Calls the token endpoint with a form. */
export function postForm(simulator: Simulator, fields: Record<string, string>): Promise<Response> {
  return fetch(`${simulator.issuerUrl}/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({ client_id: CLIENT_ID, ...fields }),
  });
}

/** Redeems an authorization code, with some fields changed. */
export function redeem(
  simulator: Simulator,
  code: string,
  changes: Record<string, string> = {},
): Promise<Response> {
  return postForm(simulator, {
    grant_type: "authorization_code",
    code,
    redirect_uri: "http://localhost:1455/auth/callback",
    code_verifier: VERIFIER,
    ...changes,
  });
}

/** Refreshes by form, as OpenCode does. */
export function refresh(simulator: Simulator, refreshToken: string): Promise<Response> {
  return postForm(simulator, { grant_type: "refresh_token", refresh_token: refreshToken });
}

/** Refreshes by JSON, as the Codex CLI does. */
export function refreshByJson(simulator: Simulator, refreshToken: string): Promise<Response> {
  return fetch(`${simulator.issuerUrl}/oauth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      grant_type: "refresh_token",
      client_id: CLIENT_ID,
      refresh_token: refreshToken,
      refresh_reason: "proactive_expiry",
    }),
  });
}

/** Posts JSON to the issuer. */
export function postJson(simulator: Simulator, path: string, body: unknown): Promise<Response> {
  return fetch(`${simulator.issuerUrl}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** The events of a stream, read from its text. */
export function eventsIn(text: string): { type: string; [field: string]: unknown }[] {
  return text.split("\n").filter((line) => line.startsWith("data: ")).map((line) =>
    JSON.parse(line.slice(6))
  );
}

/** The text that the deltas of a stream add up to. */
export function textIn(stream: string): string {
  return eventsIn(stream).filter((event) => event.type === "response.output_text.delta")
    .map((event) => event.delta).join("");
}

/** The value at a path of an unknown object, for assertions. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<string | number, unknown> | null | undefined)?.[key],
    value,
  );
}
