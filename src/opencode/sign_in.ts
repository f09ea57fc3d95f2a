/**
 * What the plugin needs only when somebody signs in. It is a file of its own
 * in the npm package: OpenCode starts far more often than anybody signs in.
 *
 * @module
 */
import type { Clock } from "../platform/clock.ts";
import { startBrowserLogin } from "../oauth/login.ts";
import { resolveEndpoints } from "../platform/endpoints.ts";
import { messageOf } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import type { Environment } from "../platform/paths.ts";
import { admit } from "../store/admission.ts";
import type { Store } from "../store/store.ts";
import type { LoginMethod, LoginResult } from "./host.ts";
import { PLACEHOLDER_ENTRY } from "./placeholder.ts";

export { adoptLogin } from "./adopt_login.ts";

/** What a login from inside OpenCode needs. */
export interface SignInOptions {
  readonly env: Environment;
  readonly store: () => Promise<Store>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Starts a login in the browser; OpenCode shows its address and waits for it.
 *
 * @throws {Failure} when no callback port can be had.
 */
export async function authorize(
  alias: string,
  { env, store, clock, log }: SignInOptions,
): ReturnType<LoginMethod["authorize"]> {
  const login = await startBrowserLogin({
    issuer: resolveEndpoints(env).issuer,
    fetch: (input, init) => globalThis.fetch(input, init),
    clock,
  });
  return {
    url: login.url,
    instructions: `Sign in with the ChatGPT account that is to be "${alias}".`,
    method: "auto",
    async callback(): Promise<LoginResult> {
      try {
        const tokens = await login.result;
        await admit(await store(), alias, tokens, "login", clock.now());
        log.info(`"${alias}" signed in through OpenCode`);
        return { ...PLACEHOLDER_ENTRY, type: "success" };
      } catch (error) {
        log.error(`login of "${alias}" failed: ${messageOf(error)}`);
        return { type: "failed" };
      }
    },
  };
}
