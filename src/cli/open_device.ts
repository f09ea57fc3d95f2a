import type { Device } from "../codex_cli/device.ts";
import type { FindCodex } from "../codex_cli/running_codex.ts";
import { resolveEndpoints } from "../platform/endpoints.ts";
import { fileLog } from "../platform/log.ts";
import type { Context } from "./context.ts";
import type { OpenStore } from "./open_store.ts";

/** This device's Codex CLI, and which of it run. */
export async function openDevice(
  context: Context,
  { store, paths }: OpenStore,
): Promise<{ readonly device: Device; readonly running: FindCodex }> {
  const { codexDevice } = await import("../codex_cli/codex_device.ts");
  const { findCodex } = await import("../codex_cli/running_codex.ts");
  const { env, clock, random } = context;
  const { issuer } = resolveEndpoints(env);
  const running = context.findCodex ?? findCodex(env);
  const log = fileLog({ path: paths.log, clock });
  const device = codexDevice({ store, env, issuer, clock, random, log, findCodex: running });
  return { device, running };
}
