/**
 * Older formats when they are met. What reads them is loaded then: most stores
 * have been ours for long, and OpenCode loads the plugin at every start.
 *
 * @module
 */
import type { OlderSettings } from "./older_formats.ts";
import type { StateDb } from "./state_db.ts";
import { getMeta } from "./state_write.ts";

type OlderFormats = typeof import("./older_formats.ts");

let loaded: OlderFormats | undefined;

/** Thrown by synchronous work that has met an older file; see {@linkcode withOlderFormats}. */
class OlderFormatsNeeded extends Error {}

/**
 * What reads older formats.
 *
 * @throws {OlderFormatsNeeded} when it was not loaded yet.
 */
export function olderFormats(): OlderFormats {
  if (!loaded) throw new OlderFormatsNeeded("the older formats must be loaded first");
  return loaded;
}

/** Does work that begins anew when it turns out to need {@linkcode olderFormats}. */
export async function withOlderFormats<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OlderFormatsNeeded)) throw error;
    loaded = await import("./older_formats.ts");
    return await work();
  }
}

/** The settings that an older file brought into `state.db`, if one did. */
export function importedSettings(db: StateDb): OlderSettings | undefined {
  const text = getMeta(db, "older settings");
  return text === undefined ? undefined : JSON.parse(text) as OlderSettings;
}
