import { addsModels } from "../codex/model_map.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../platform/failure.ts";
import type { Environment } from "../platform/paths.ts";
import type { HostConfig, ProviderHook } from "./host.ts";
import { lateClient } from "./late_client.ts";

/** The hooks by which OpenCode learns of models. */
export interface ModelHooks {
  /** Notes which models the person's configuration names. */
  config(config: HostConfig): void;
  readonly provider: ProviderHook;
}

/**
 * Adds the models that OpenCode lacks, from what is known on this machine: no
 * network call, and no look at the accounts, which may wait for a passphrase.
 */
export function modelHooks(env: Environment, log: Log): ModelHooks {
  let configured: HostConfig = {};
  return {
    config: (config) => void (configured = config),
    provider: {
      id: "openai",
      async models(provider, context) {
        // With a key of the person's own the built-in provider serves, which needs nothing of us.
        if (!addsModels(env) || context?.auth?.type !== "oauth") return provider.models;
        try {
          const { cachedLists, namedModels, withAddedModels } = await lateClient();
          const named = namedModels(configured as Readonly<Record<string, unknown>>);
          return withAddedModels(provider.models, await cachedLists(env), named, env);
        } catch (error) {
          log.error(`models: ${messageOf(error)}`);
          return provider.models;
        }
      },
    },
  };
}
