/**
 * What the plugin needs rarely: renewing tokens, asking the usage endpoint and for models, tools, and
 * callers that do not stream. It is a file of its own in the npm package, loaded at its first use, so
 * that OpenCode's every start stays fast. Signing in and notifications are files of their own as well:
 * the one takes long to load, and the others are needed with the first prompt.
 *
 * @module
 */
export { Recheck } from "../codex/recheck.ts";
export { accountsAnswer, pinAnswer } from "./tool_answers.ts";
export { Discovery } from "../codex/discovery.ts";
export { collect } from "../codex/collect.ts";
export { createRenewing } from "../codex/renewing.ts";
export { addAccount, removeAccount } from "../store/account_roster.ts";
export * from "../store/token_changes.ts";
export { importOlder, readOlderState, withOlder } from "../store/older_formats.ts";
