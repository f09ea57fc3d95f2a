/**
 * The pool as a library: a `fetch` that serves requests to the Responses API
 * from several ChatGPT accounts of one person.
 *
 * @example
 * ```ts
 * import { createClient } from "./mod.ts";
 *
 * const client = await createClient({ env: process.env });
 * const response = await client.fetch("https://api.openai.com/v1/responses", {
 *   method: "POST",
 *   headers: { "content-type": "application/json", "session-id": "my-conversation" },
 *   body: JSON.stringify({
 *     model: "gpt-5.5",
 *     instructions: "Be brief.",
 *     input: [{ role: "user", content: "Hello" }], // the backend takes no bare text
 *   }),
 * });
 * console.log(await response.json());
 * await client.close();
 * ```
 *
 * @module
 */
export { type Client, type ClientOptions, createClient } from "./src/codex/client.ts";
export type { CodexFetch } from "./src/codex/fetch.ts";
export type { PoolEvent } from "./src/codex/pool_event.ts";
export type { Exhaustion } from "./src/codex/exhausted.ts";
export type { FetchInput } from "./src/codex/request.ts";
export type { Refresher, RefreshOutcome } from "./src/oauth/refresh_transaction.ts";
export type { Account, Credentials, SetAsideReason } from "./src/account/account.ts";
export type { Identity } from "./src/account/identity.ts";
export type { Block, BlockEndSource, BlockReason, BlockScope } from "./src/quota/block.ts";
export type { QuotaWindow } from "./src/quota/window.ts";
export type { Absence, Choice, Demand, Pool } from "./src/rotation/pool.ts";
export type { AffinityMap } from "./src/rotation/affinity.ts";
export type { ModelLists } from "./src/rotation/model_lists.ts";
export type { Hindrance } from "./src/rotation/eligibility.ts";
export type {
  AccountEdit,
  AccountFigures,
  Affinity,
  Explanation,
  Lease,
  Observation,
  Pin,
  Snapshot,
  Store,
  Tokens,
} from "./src/store/store.ts";
export type { Clock } from "./src/platform/clock.ts";
export { Failure } from "./src/platform/failure.ts";
export type { Log } from "./src/platform/log.ts";
export type { Environment } from "./src/platform/paths.ts";
