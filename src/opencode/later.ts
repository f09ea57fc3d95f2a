/**
 * What the plugin needs rarely: renewing tokens, sharing them with the Codex CLI, signing in, asking
 * the usage endpoint, and callers that do not stream. It is a file of its own in the npm package, loaded
 * at its first use, so that OpenCode's every start stays fast.
 *
 * @module
 */
export { adoptLogin, authorize } from "./sign_in.ts";
export { Recheck } from "../codex/recheck.ts";
export { sharedTokens } from "../codex_cli/shared_tokens.ts";
export { collect } from "../codex/collect.ts";
export { exchangeRefreshToken } from "../oauth/refresh.ts";
export { importOlder, readOlderState, withOlder } from "../store/older_formats.ts";
