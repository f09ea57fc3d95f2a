import { pathToFileURL } from "node:url";
import { type Effort, type Figure, median, output, rounds } from "./measure.ts";

/** A runtime and how it is told to run a line of code. */
export interface Runtime {
  readonly name: string;
  readonly program: string;
  readonly evaluate: readonly string[];
}

/**
 * How long the import of a file takes in fresh processes, in milliseconds.
 *
 * @param file What is imported.
 * @param budget For the runtime that OpenCode is made with.
 */
export async function measureImports(
  file: string,
  runtimes: readonly Runtime[],
  env: Readonly<Record<string, string>>,
  effort: Effort,
  budget: number,
): Promise<Figure[]> {
  const source =
    `const t=performance.now();await import(${JSON.stringify(pathToFileURL(file).href)});` +
    "console.log(performance.now()-t)";
  const figures: Figure[] = [];
  for (const { name, program, evaluate } of runtimes) {
    const times: number[] = [];
    for (let n = 0; n < rounds(25, effort); n++) {
      times.push(Number(await output(program, [...evaluate, source], env)));
    }
    figures.push({
      what: `plugin import, fresh process, ${name}`,
      value: median(times),
      unit: "ms",
      noisy: true,
      ...(name === "Bun" ? { budget } : {}),
    });
  }
  return figures;
}
