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

/** Requests that are counted. */
const ROUNDS = 200;

/**
 * How many calls on files a request costs in steady state, counted by the system: what nine of ten
 * requests take at most, and the mean, which includes what is saved once a second. None where `strace`
 * is missing.
 */
export async function countFileCalls(bun: string, stage: Stage): Promise<Figure[]> {
  const strace = findCommand("strace");
  if (strace === undefined) return [];
  const requests = await calls(strace, bun, stage);
  const most = (counts: readonly number[]) =>
    counts.toSorted((a, b) => a - b)[Math.floor(counts.length * 0.9)] ?? Number.NaN;
  return [
    {
      what: "file calls per request, steady state, p90",
      value: most(requests.map(({ files }) => files)),
      unit: "",
      budget: 0,
    },
    {
      what: "file calls per request, steady state, mean",
      value: Math.round(requests.reduce((sum, { files }) => sum + files, 0) * 100 / ROUNDS) / 100,
      unit: "",
      budget: 0.2,
      // The longer a request takes, the more of the once-a-second saves fall upon it.
      noisy: true,
    },
    {
      what: "looks whether another process changed state.db (fcntl, fstat) per request, p90",
      value: most(requests.map(({ looks }) => looks)),
      unit: "",
    },
  ];
}

/** The calls of each request. */
async function calls(strace: string, bun: string, stage: Stage) {
  const file = join(stage.folder, "calls");
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
      ...workerArguments(stage, { bytes: 5_000, rounds: ROUNDS, only: "plugin", mark: true }),
    ],
    env: stage.env,
    clearEnv: true,
    stdin: "null",
  }).output();
  if (!success) throw new Error(`strace failed: ${new TextDecoder().decode(stderr).slice(-500)}`);
  const requests: { files: number; looks: number }[] = [];
  for (const line of Deno.readTextFileSync(file).split("\n")) {
    const request = requests.at(-1);
    if (line.includes('"round ')) requests.push({ files: 0, looks: 0 });
    else if (request && line.includes(stage.folder)) {
      if (/\b(fcntl|fstat|newfstatat)\(\d+</.test(line)) request.looks++;
      else request.files++;
    }
  }
  if (requests.length !== ROUNDS) throw new Error(`strace shows ${requests.length} requests`);
  // The last one's calls are those of the end, too.
  return requests.slice(0, -1);
}
