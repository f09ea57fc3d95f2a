import { connect, createServer } from "node:net";
import { errorCode } from "../platform/failure.ts";
import { runtime } from "../platform/runtime.ts";
import { PROGRAM } from "../platform/version.ts";
import { type Check, ok, warning } from "./check.ts";

/** Where the dashboard listens unless something else is asked for. */
export const DASHBOARD_PORT = 3434;

/** Asks whether what listens on a port is a dashboard of this person. */
export type IsOurs = (port: number) => Promise<boolean>;

/** The ports that a login in the browser needs, and the dashboard's. */
export function portChecks(
  isOurs: IsOurs,
  ports: { readonly login: readonly number[]; readonly dashboard: () => Promise<number> },
): readonly Check[] {
  return [
    {
      group: "Machine",
      name: "login ports",
      async look() {
        const name = "login ports";
        const states = await Promise.all(ports.login.map(async (port) => {
          const why = await cannotListen(port);
          return { port, why };
        }));
        const free = states.filter(({ why }) => why === undefined);
        const taken = states.filter(({ why }) => why !== undefined)
          .map(({ port, why }) => `${port} (${why})`).join(" and ");
        if (free.length === 0) {
          const text = `A login in the browser needs a port that is taken: ${taken}.`;
          const fix =
            `End what listens there, or sign in by a code: ${PROGRAM} add <alias> --device`;
          return { findings: [warning(name, text, fix)] };
        }
        const text = taken === ""
          ? `Ports ${ports.login.join(" and ")} are free for a login in the browser.`
          : `Port ${free[0]?.port} is free for a login in the browser; taken: ${taken}.`;
        return { findings: [ok(name, text)] };
      },
    },
    {
      group: "Dashboard",
      name: "dashboard",
      async look() {
        const name = "dashboard";
        const port = await ports.dashboard();
        if (!await listens(port)) {
          const text = `It does not run. Start it with: ${PROGRAM} web`;
          return { findings: [ok(name, text)] };
        }
        if (await isOurs(port)) {
          return { findings: [ok(name, `It runs on http://127.0.0.1:${port}.`)] };
        }
        const text = `Another program listens on port ${port}.`;
        return {
          findings: [warning(name, text, `Take another one: ${PROGRAM} web --port ${port + 1}`)],
        };
      },
    },
  ];
}

/**
 * Why a port of the loopback address cannot be listened on, in a word; undefined when it can. It is
 * knocked at and not taken, not even for a moment: a login may begin in that very moment.
 */
async function cannotListen(port: number): Promise<string | undefined> {
  if (await listens(port)) return "in use";
  // Windows keeps ranges of ports for itself, which only shows when one is wanted.
  return runtime.platform === "win32" ? await refused(port) : undefined;
}

function refused(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => {
      const code = errorCode(error);
      resolve(code === "EACCES" ? "reserved" : code ?? "failed");
    });
    server.listen({ port, host: "127.0.0.1" }, () => server.close(() => resolve(undefined)));
  });
}

/** Whether somebody listens on a port of this machine, as `localhost` may mean it. */
async function listens(port: number): Promise<boolean> {
  const answers = await Promise.all(["127.0.0.1", "::1"].map((host) => accepts(port, host)));
  return answers.includes(true);
}

function accepts(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.setTimeout(2_000, () => end(false));
  });
}
