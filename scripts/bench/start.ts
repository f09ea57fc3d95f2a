import { join } from "node:path";
import { type Effort, type Figure, median, rounds } from "./measure.ts";

/** The most that `status` may take beyond an empty program of the same runtime, in milliseconds. */
const BUDGET_MS = 60;

/** The command line in one of its forms. */
export interface CommandLineFile {
  readonly name: string;
  readonly file: string;
  /** Whether its time must hold the budget. */
  readonly bound: boolean;
}

/** How long `status` takes beyond an empty program, by runtime and form. */
export async function measureStart(
  forms: readonly CommandLineFile[],
  runtimes: readonly { readonly name: string; readonly program: string; readonly run: string[] }[],
  env: Readonly<Record<string, string>>,
  folder: string,
  effort: Effort,
): Promise<Figure[]> {
  const empty = join(folder, "empty.js");
  Deno.writeTextFileSync(empty, "");
  const figures: Figure[] = [];
  for (const { name, program, run } of runtimes) {
    const beyond = forms.map((): number[] => []);
    for (let n = 0; n < rounds(20, effort); n++) {
      const nothing = await wall(program, [...run, empty], env);
      for (const [at, { file }] of forms.entries()) {
        beyond[at]?.push(await wall(program, [...run, file, "status"], env) - nothing);
      }
    }
    for (const [at, form] of forms.entries()) {
      figures.push({
        what: `status beyond an empty program, ${form.name}, ${name}`,
        value: median(beyond[at] ?? []),
        unit: "ms",
        noisy: true,
        ...(form.bound ? { budget: BUDGET_MS } : {}),
      });
    }
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
