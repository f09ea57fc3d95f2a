import { join } from "node:path";
import { findCommand } from "../system_programs.ts";
import type { Figure } from "./measure.ts";
import { workerArguments } from "./requests.ts";
import type { Stage } from "./stage.ts";

/**
 * Calls that open, look for, read at a place, write at a place or change files. What sockets and
 * files share (`read`, `write`) is told apart by what it is called on, which `strace -y` names.
 */
const CALLS = "%file,read,write,pread64,pwrite64,readv,writev,fsync,fdatasync,ftruncate,getdents64";

/**
 * How many calls on files a request costs in steady state, counted by the system: the calls of a long
 * run less those of a short one, over the requests that lie between. Undefined where `strace` is missing.
 */
export async function countFileCalls(bun: string, stage: Stage): Promise<Figure[]> {
  const strace = findCommand("strace");
  if (strace === undefined) return [];
  const short = await calls(strace, bun, stage, 100);
  const long = await calls(strace, bun, stage, 300);
  return [
    {
      what: "file calls per request, steady state",
      // What a second of traffic saves in any case is the same in both, but for chance.
      value: Math.max(Math.round((long.files - short.files) / 2) / 100, 0),
      unit: "",
      budget: 0.2,
      // The longer a request takes, the more of the once-a-second saves fall upon it.
      noisy: true,
    },
    {
      what: "looks whether another process changed state.db (fcntl, fstat) per request",
      value: Math.round((long.locks - short.locks) / 2) / 100,
      unit: "",
    },
  ];
}

async function calls(strace: string, bun: string, stage: Stage, rounds: number) {
  const file = join(stage.folder, `calls-${rounds}`);
  const { success, stderr } = await new Deno.Command(strace, {
    args: [
      "-f",
      "-y",
      "-qq",
      "-e",
      `trace=${CALLS},fcntl,fstat`,
      "-o",
      file,
      bun,
      ...workerArguments(stage, { bytes: 5_000, rounds, only: "plugin", mark: true }),
    ],
    env: stage.env,
    clearEnv: true,
    stdin: "null",
  }).output();
  if (!success) throw new Error(`strace failed: ${new TextDecoder().decode(stderr).slice(-500)}`);
  const lines = Deno.readTextFileSync(file).split("\n");
  // From the moment on at which everything is warm.
  const steady = lines.slice(lines.findIndex((line) => line.includes("steady")) + 1);
  const onFile = steady.filter((line) => line.includes(stage.folder));
  const isLook = (line: string) => /\b(fcntl|fstat|newfstatat)\(\d+</.test(line);
  return {
    files: onFile.filter((line) => !isLook(line)).length,
    locks: onFile.filter(isLook).length,
  };
}
