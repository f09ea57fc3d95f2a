import { join } from "node:path";
import { exists, inRepository } from "../repository.ts";
import { run } from "../program.ts";
import { peerFile } from "./requests.ts";

/** The plugin for a single account that most people have used; anybody can install it. */
export const PEER = "opencode-openai-codex-auth@4.4.0";

/**
 * Brings the other plugin from npm into `.tools/peer`; does nothing when it is there.
 *
 * @returns Its entry file.
 * @throws {Error} when npm fails.
 */
export async function bringPeer(): Promise<string> {
  const folder = inRepository(".tools", "peer");
  const file = peerFile(folder);
  if (!exists(file)) {
    Deno.mkdirSync(folder, { recursive: true });
    await run("npm", [
      "install",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--no-save",
      "--no-package-lock",
      "--prefix",
      folder,
      PEER,
    ]);
  }
  return file;
}

/** As long as the instructions that it would fetch, roughly. */
const INSTRUCTIONS = "word ".repeat(4_000);

/**
 * Gives the other plugin what it fetches from GitHub four times an hour, so that it is measured
 * between two of those times and not at one.
 *
 * @param home The home folder in which it will run.
 */
export function seedPeerCache(home: string): void {
  const cache = join(home, ".opencode", "cache");
  Deno.mkdirSync(cache, { recursive: true });
  const meta = JSON.stringify({ etag: null, tag: "seeded", lastChecked: Date.now() + 3_600_000 });
  for (const family of ["gpt-5.2-codex", "codex-max", "codex", "gpt-5.2", "gpt-5.1"]) {
    Deno.writeTextFileSync(join(cache, `${family}-instructions.md`), INSTRUCTIONS);
    Deno.writeTextFileSync(join(cache, `${family}-instructions-meta.json`), meta);
  }
  Deno.writeTextFileSync(join(cache, "opencode-codex.txt"), INSTRUCTIONS);
  Deno.writeTextFileSync(join(cache, "opencode-codex-meta.json"), meta);
}
