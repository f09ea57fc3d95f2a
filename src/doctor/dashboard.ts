import { answers, originOf, readRunning } from "../dashboard/running.ts";
import { PROGRAM } from "../platform/version.ts";
import { type Check, ok, warning } from "./check.ts";
import { listens } from "./ports.ts";
import type { Surroundings } from "./surroundings.ts";

/** Where the dashboard listens unless something else is asked for. */
const PORT = 3434;
const FILE = /^dashboard-(\d{1,5})\.json$/;

/**
 * The dashboards of this person: the one on the usual port, and others that they have started.
 *
 * @param servicePort The port of the service, if there is one.
 */
export function dashboardCheck(
  surroundings: Surroundings,
  servicePort: () => Promise<number | undefined>,
): Check {
  const name = "dashboard";
  return {
    group: "Dashboard",
    name,
    async look() {
      const usual = await servicePort() ?? PORT;
      const ports = [...new Set([usual, ...announcedPorts(surroundings)])];
      const running = (await Promise.all(ports.map((port) => origin(surroundings, port))))
        .filter((found) => found !== undefined);
      if (running.length > 0) {
        return { findings: [ok(name, `It runs: ${running.join(", ")}`)] };
      }
      if (!await listens(usual)) {
        return { findings: [ok(name, `It does not run. Start it with: ${PROGRAM} web`)] };
      }
      const text = `Another program listens on port ${usual}.`;
      const fix = `Take another one: ${PROGRAM} web --port ${usual + 1}`;
      return { findings: [warning(name, text, fix)] };
    },
  };
}

/** Where a dashboard listens on a port and proves that it is this person's. */
async function origin(
  { paths, fetch }: Surroundings,
  port: number,
): Promise<string | undefined> {
  const running = readRunning(paths, port);
  return running && await answers(running, fetch) ? originOf(running) : undefined;
}

/** Ports for which a dashboard has left a note; it may have ended without a word. */
function announcedPorts({ paths, files }: Surroundings): readonly number[] {
  try {
    return files.list(paths.folder).flatMap((file) => Number(FILE.exec(file)?.[1] ?? NaN) || []);
  } catch {
    // There is no such folder.
    return [];
  }
}
