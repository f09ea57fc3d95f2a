import { existsSync } from "node:fs";
import type { Paths } from "../platform/paths.ts";
import type { OlderSettings } from "../store/older_formats.ts";
import { olderSettings } from "../store/older_settings.ts";
import type { Context } from "./context.ts";

/** What an older project has set, for a command that needs no store: one that is broken or missing brings nothing. */
export async function olderSettingsAt(context: Context, paths: Paths): Promise<OlderSettings> {
  if (existsSync(paths.settings) || !existsSync(paths.accounts)) return {};
  const { openLocalStore } = await import("../store/local.ts");
  const { env, clock, random } = context;
  const store = await openLocalStore({ paths, env, clock, random });
  try {
    return await olderSettings(store, paths);
  } catch {
    return {};
  } finally {
    await store.close().catch(() => {});
  }
}
