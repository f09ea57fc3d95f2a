/**
 * `deno task test`: brings the real programs, builds what is released, and runs every test against
 * it. The last line is `N passed, N failed`.
 *
 * Arguments: paths choose test files, words choose tests by name, options go to `deno test`.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { bundleCommandLine } from "./bundle.ts";
import { npmPackage } from "./npm.ts";
import { run, since, size } from "./program.ts";
import { exists, inRepository, ROOT } from "./repository.ts";
import { type Missing, missingPrograms } from "./system_programs.ts";
import { type Company, companyOf, testFiles } from "./test_files.ts";
import { type Tools, tools } from "./tools.ts";

/** Milliseconds after which the tests are ended. Something hangs then: they need less than half of it. */
const LIMIT_MS = 20 * 60_000;

/** How `deno test` runs each company of files, in this order. */
const COMPANIES: readonly (readonly [Company, { readonly jobs?: string }])[] = [
  ["all at once", {}],
  ["alone", { jobs: "1" }],
  ["two at a time", { jobs: "2" }],
];

/** What `deno test` counted. */
interface Counts {
  passed: number;
  failed: number;
  ignored: number;
}

/** Brings the programs and builds what the tests use, saying what it does. */
async function prepare(): Promise<void> {
  const step = async <T>(name: string, work: () => Promise<T>, about: (result: T) => string) => {
    const start = performance.now();
    const result = await work();
    console.log(`${name.padEnd(12)} ${about(result)} in ${since(start)}`);
    return result;
  };
  // All types at once: `deno test` would look at most of the program anew for each group of files.
  const types = () => run(Deno.execPath(), ["check", "--quiet"], { cwd: ROOT });
  await step("types", types, () => "checked");
  const found = await step("programs", tools, () => "OpenCode, Codex, Bun, Node");
  const cli = await step("dist/cli.js", bundleCommandLine, (file) => size(bytes(file)));
  await step(
    "npm/",
    npmPackage,
    ({ pluginBytes, clientBytes }) =>
      `plugin.js ${size(pluginBytes)}, client.js ${size(clientBytes)}`,
  );
  await step(
    "binary",
    () => compileWithBun(found, cli),
    (file) => `${size(bytes(file))}, compiled by Bun for the tests; releases are compiled by Deno`,
  );
}

/**
 * One file that starts by itself, as the released binary does. `deno compile` needs a download that
 * is not on npm; Bun's compiler is, and runs the same bundle.
 */
async function compileWithBun({ bun }: Tools, cli: string): Promise<string> {
  const file = inRepository(".tools", "bun-binary", "opencode-multi-auth");
  Deno.mkdirSync(inRepository(".tools", "bun-binary"), { recursive: true });
  await run(bun, ["build", "--compile", cli, "--outfile", file], {
    cwd: inRepository(".tools", "bun-binary"),
  });
  return file;
}

function bytes(file: string): number {
  return Deno.statSync(file).size;
}

/** Runs `deno test` over some files, passing its report on, and gives what its summary says. */
async function test(
  files: readonly string[],
  options: readonly string[],
  jobs: string | undefined,
  limit: AbortSignal,
): Promise<Counts> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--parallel", ...options, ...files],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    env: {
      ...(jobs === undefined ? {} : { DENO_JOBS: jobs }),
      ...(Deno.stdout.isTerminal() ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }),
    },
  }).spawn();
  const stop = () => child.kill("SIGTERM");
  limit.addEventListener("abort", stop);
  let said = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    Deno.stdout.writeSync(new TextEncoder().encode(chunk));
    // The summary is at the end; the report before it may be long.
    said = (said + chunk).slice(-64 * 1024);
  }
  const { success } = await child.status;
  limit.removeEventListener("abort", stop);
  const counts = readSummary(stripVTControlCharacters(said));
  // Files that do not compile, an error outside of tests and the time limit are in no summary.
  if (!success && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** Reads the last summary line, `ok | 3 passed (2 steps) | 0 failed | 1 ignored (20ms)`. */
export function readSummary(report: string): Counts {
  const line = report.match(/^(?:ok|FAILED) \| \d+ passed.*$/gm)?.at(-1) ?? "";
  const count = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), ignored: count("ignored") };
}

/** What could not run, as a paragraph. */
export function missingParagraph(missing: readonly Missing[]): string {
  return missing.map(({ program, files }) =>
    `did not run: ${files.join(", ")} (${program.name} is not here); ` +
    `install with: apt-get install ${program.package}`
  ).join("\n");
}

/** Splits the arguments into paths of the repository and options for `deno test`. */
export function readArguments(args: readonly string[]): { paths: string[]; options: string[] } {
  const isPath = (arg: string) => !arg.startsWith("-") && exists(inRepository(arg));
  return {
    paths: args.filter(isPath),
    options: args.filter((arg) => !isPath(arg))
      .flatMap((arg) => arg.startsWith("-") ? [arg] : ["--filter", arg]),
  };
}

if (import.meta.main) {
  const start = performance.now();
  const total: Counts = { passed: 0, failed: 0, ignored: 0 };
  const notes: string[] = [];
  const inCi = Deno.env.get("CI") === "true";
  const limit = AbortSignal.timeout(LIMIT_MS);
  try {
    const { paths, options } = readArguments(Deno.args);
    const files = testFiles(paths.length > 0 ? paths : undefined);
    const missing = missingPrograms(files);
    const runnable = files.filter((file) => !missing.some((entry) => entry.files.includes(file)));
    if (missing.length > 0) notes.push(missingParagraph(missing));
    if (inCi) total.failed += missing.length;

    await prepare();
    for (const [company, { jobs }] of COMPANIES) {
      const group = runnable.filter((file) => companyOf(file) === company);
      if (group.length === 0 || limit.aborted) continue;
      const counts = await test(group, options, jobs, limit);
      total.passed += counts.passed;
      total.failed += counts.failed;
      total.ignored += counts.ignored;
    }
  } catch (error) {
    notes.push(error instanceof Error ? error.message : String(error));
    total.failed += 1;
  }
  if (limit.aborted) {
    notes.push(`The tests were ended after ${LIMIT_MS / 60_000} minutes.`);
    total.failed += 1;
  }
  if (total.ignored > 0) {
    notes.push(`did not run: ${total.ignored} tests that are marked to be ignored`);
    if (inCi) total.failed += total.ignored;
  }
  if (total.passed + total.failed === 0) {
    notes.push("No test ran. Name a file under tests/ or a word of a test's name.");
    total.failed += 1;
  }
  console.log(`\n${[...notes, `in ${since(start)}`].join("\n\n")}\n`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  Deno.exit(total.failed === 0 ? 0 : 1);
}
