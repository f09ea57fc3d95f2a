/**
 * What the plugin needs rarely: signing in, asking the usage endpoint, and
 * callers that do not stream. It is a file of its own in the npm package, loaded
 * at its first use, so that OpenCode's every start stays fast.
 *
 * @module
 */
export { adoptLogin, authorize } from "./sign_in.ts";
export { createUsageQuestion, fetchUsage } from "../codex/usage_question.ts";
export { collect } from "../codex/collect.ts";
