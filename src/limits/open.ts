import type { Client } from "../codex/client.ts";
import { clearSandboxes } from "../codex_cli/sandbox.ts";
import type { Clock } from "../platform/clock.ts";
import { resolveEndpoints } from "../platform/endpoints.ts";
import { systemFiles } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import type { Environment } from "../platform/paths.ts";
import { readSettings, STANDARD_SETTINGS } from "../platform/settings.ts";
import type { Paths } from "../platform/paths.ts";
import type { LocalStore } from "../store/local.ts";
import type { LimitQueue } from "./limit_queue.ts";
import { createLimitQueue } from "./queue.ts";
import { createQuestion } from "./question.ts";
import { limitSources } from "./sources.ts";

/** Where the machine's queue finds everything. */
export interface OpenLimits {
  /** Whose pool and refresher are used; what is learnt goes into its pool, as figures from traffic do. */
  readonly client: Client;
  /** The same store folder, with what only files can do. */
  readonly store: LocalStore;
  readonly paths: Paths;
  readonly env: Environment;
  /** The folder from which a relative `CODEX_CLI_BIN` counts. */
  readonly folder: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

/** A login in a sandbox that is older than this is in nobody's use, in milliseconds. */
const LEFT_MS = 10 * 60_000;

/** The machine's one queue of questions about limits, put together. Close it before the client and the store. */
export function openLimitQueue(options: OpenLimits): LimitQueue {
  const { client, store, env, clock, random, log, paths } = options;
  const { pool, refresher } = client;
  const sealed = () => store.files.accounts.last?.sealed !== undefined;
  const sources = limitSources({
    env,
    folder: options.folder,
    fetch: options.fetch,
    backend: resolveEndpoints(env).backend,
    clock,
    aliases: () => pool.accounts.map(({ alias }) => alias),
    sealed,
  });
  const ask = createQuestion({ sources, pool, refresher, store, clock, log });
  return createLimitQueue({
    store,
    async ask(accountId, source, signal) {
      // Left from when the store was plain, or by a machine that went down.
      if (sealed()) clearSandboxes(env, systemFiles, clock.now() - LEFT_MS);
      const end = await ask(accountId, source, signal);
      // Whoever sees that a task has ended must find its figures.
      await client.store.flush();
      return end;
    },
    clock,
    random,
    settings() {
      try {
        return readSettings(paths, env, {}, () => {});
      } catch {
        // Whoever has broken the file hears of it from the command that reads it.
        return STANDARD_SETTINGS;
      }
    },
    log,
  });
}
