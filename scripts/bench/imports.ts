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

/**
 * How long it takes in fresh processes until OpenCode has all that it asks for at its start: the
 * plugin, its hooks, its models and its `fetch`. The runtime's own modules are counted here;
 * OpenCode has loaded most of them for itself.
 *
 * @param bun The runtime that OpenCode is made with.
 */
export async function measureOpening(
  plugin: string,
  bun: string,
  env: Readonly<Record<string, string>>,
  effort: Effort,
): Promise<Figure> {
  const source = `const t=performance.now();
    const { default: { server } } = await import(${JSON.stringify(pathToFileURL(plugin).href)});
    const entry = { type: "oauth", refresh: "opencode-multi-auth", access: "-", expires: 9e15 };
    const { provider, auth } = await server({});
    await provider.models({ models: {} }, { auth: entry });
    await auth.loader(() => Promise.resolve(entry), {});
    console.log(performance.now() - t);
    process.exit(0);`;
  const times: number[] = [];
  for (let n = 0; n < rounds(25, effort); n++) {
    times.push(Number(await output(bun, ["-e", source], env)));
  }
  return {
    what: "plugin, hooks, models and fetch at OpenCode's start, fresh process, Bun",
    value: median(times),
    unit: "ms",
  };
}
