import { connect, createServer } from "node:net";
import { errorCode, notPermitted } from "../platform/failure.ts";
import { runtime } from "../platform/runtime.ts";
import { PROGRAM } from "../platform/version.ts";
import { type Check, ok, warning } from "./check.ts";

/**
 * The ports that a login in the browser needs.
 *
 * @param ports In the order in which a login tries them.
 */
export function loginPortsCheck(ports: readonly number[]): Check {
  const name = "login ports";
  return {
    group: "Machine",
    name,
    async look() {
      const states = await Promise.all(
        ports.map(async (port) => ({ port, why: await cannotListen(port) })),
      );
      const free = states.find(({ why }) => why === undefined);
      const taken = states.filter(({ why }) => why !== undefined)
        .map(({ port, why }) => `${port} (${why})`).join(" and ");
      if (free === undefined) {
        const text = `A login in the browser needs a port that is taken: ${taken}.`;
        const fix = `End what listens there, or sign in by a code: ${PROGRAM} add <alias> --device`;
        return { findings: [warning(name, text, fix)] };
      }
      const text = taken === ""
        ? `Ports ${ports.join(" and ")} are free for a login in the browser.`
        : `Port ${free.port} is free for a login in the browser; taken: ${taken}.`;
      return { findings: [ok(name, text)] };
    },
  };
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
export async function listens(port: number): Promise<boolean> {
  const answers = await Promise.all(["127.0.0.1", "::1"].map((host) => accepts(port, host)));
  return answers.includes(true);
}

function accepts(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true));
    socket.once("error", (error) => notPermitted(error) ? reject(error) : end(false));
    socket.setTimeout(2_000, () => end(false));
  });
}
