/**
 * What the plugin needs once OpenCode asks for models or sends a request: the accounts, and the way of
 * a request. It is a file of its own in the npm package, so that loading the plugin takes no longer
 * than its hooks.
 *
 * @module
 */
export { createClient } from "../codex/client.ts";
export { exhaustionNotice } from "../codex/exhausted.ts";
export { cachedLists, namedModels, withAddedModels } from "./added_models.ts";
