import { join } from "node:path";
import { type Effort, type Figure, median, rounds } from "./measure.ts";

/** The most that `status` may take beyond an empty program of the same runtime, in milliseconds. */
const BUDGET_MS = 60;

/**
 * How long `status` takes beyond an empty program, by runtime.
 *
 * @param cli The bundled command line.
 */
export async function measureStart(
  cli: string,
  runtimes: readonly { readonly name: string; readonly program: string; readonly run: string[] }[],
  env: Readonly<Record<string, string>>,
  folder: string,
  effort: Effort,
): Promise<Figure[]> {
  const empty = join(folder, "empty.js");
  Deno.writeTextFileSync(empty, "");
  const figures: Figure[] = [];
  for (const { name, program, run } of runtimes) {
    const beyond: number[] = [];
    for (let n = 0; n < rounds(20, effort); n++) {
      const nothing = await wall(program, [...run, empty], env);
      const status = await wall(program, [...run, cli, "status"], env);
      beyond.push(status - nothing);
    }
    figures.push({
      what: `status beyond an empty program, ${name}`,
      value: median(beyond),
      unit: "ms",
      budget: BUDGET_MS,
      noisy: true,
    });
  }
  return figures;
}

async function wall(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const start = performance.now();
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    env,
    clearEnv: true,
    stdin: "null",
  }).output();
  if (!success) throw new Error(`${program} failed: ${new TextDecoder().decode(stderr)}`);
  return performance.now() - start;
}
