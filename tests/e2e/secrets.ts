import { join } from "node:path";
import type { Outcome } from "./child.ts";
import { filesUnder, type Sandbox } from "./sandbox.ts";

/** Letters a piece of a token must have to be looked for; shorter ones meet by chance. */
const PIECE = 20;

/** Every token in the sandbox's store, and the parts between its dots. */
export function storedSecrets(sandbox: Sandbox): string[] {
  const store = JSON.parse(Deno.readTextFileSync(join(sandbox.store, "accounts.json"))) as {
    accounts: Record<string, Record<string, unknown>>;
  };
  const tokens = Object.values(store.accounts).flatMap((account) =>
    ["accessToken", "refreshToken", "idToken"].map((key) => account[key])
  ).filter((token) => typeof token === "string" && token !== "") as string[];
  if (tokens.length === 0) {
    throw new Error("The store holds no token; nothing could be looked for.");
  }
  // A JWT's head is the same in all tokens of an issuer and no secret.
  const pieces = tokens.flatMap((token) => token.split(".").slice(1));
  return [...new Set([...tokens, ...pieces])].filter((piece) => piece.length >= PIECE);
}

/** Where our and OpenCode's programs may keep tokens: nowhere but here. */
function keepsTokens(sandbox: Sandbox, path: string): boolean {
  return path === join(sandbox.store, "accounts.json") ||
    path === join(sandbox.store, "accounts.json.bak");
}

/**
 * Where a stored token can be read though it must not: in what programs printed, and in any file of the
 * sandbox other than the store of credentials.
 *
 * @returns The places; never the tokens.
 */
export function leaks(
  sandbox: Sandbox,
  outcomes: readonly Outcome[],
  secrets: readonly string[] = storedSecrets(sandbox),
): string[] {
  const holds = (text: string) => secrets.some((secret) => text.includes(secret));
  const printed = outcomes.flatMap((outcome, index) =>
    (["stdout", "stderr"] as const).filter((name) => holds(outcome[name]))
      .map((name) => `${name} of program ${index}`)
  );
  const bytes = new TextDecoder("latin1");
  const written = filesUnder(sandbox.folder)
    .filter((path) => !keepsTokens(sandbox, path) && holds(bytes.decode(Deno.readFileSync(path))));
  return [...printed, ...written];
}
