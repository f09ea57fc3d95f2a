import { Failure } from "../platform/failure.ts";
import { PROGRAM } from "../platform/version.ts";
import type { ServiceManager } from "../service/service.ts";
import { type Check, type Look, ok, warning } from "./check.ts";

/** Finds the service manager of this machine; throws a {@linkcode Failure} where there is none. */
export type FindManager = () => Promise<ServiceManager>;

/** The dashboard as a service, where it is one. */
export function serviceCheck(findManager: FindManager): Check {
  return { group: "Dashboard", name: "service", look: () => look(findManager) };
}

/** The port that an installed service listens on, if there is one. */
export async function servicePort(findManager: FindManager): Promise<number | undefined> {
  try {
    return (await findManager()).present()?.port;
  } catch {
    return undefined;
  }
}

async function look(findManager: FindManager): Promise<Look> {
  const name = "service";
  let manager: ServiceManager;
  try {
    manager = await findManager();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { findings: [ok(name, "There is no service manager here, and none is needed.")] };
  }
  if (manager.present() === undefined) {
    return { findings: [ok(name, "It is not installed as a service, and need not be.")] };
  }
  const { running, enabled } = await manager.state();
  if (running) return { findings: [ok(name, `The ${manager.kind} runs.`)] };
  if (!enabled) {
    return { findings: [ok(name, `The ${manager.kind} is installed and disabled.`)] };
  }
  return {
    findings: [
      warning(
        name,
        `The ${manager.kind} is installed and does not run.`,
        `See why: ${PROGRAM} service logs; install it anew: ${PROGRAM} service install`,
      ),
    ],
  };
}
