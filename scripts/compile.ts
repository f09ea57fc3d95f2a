/**
 * Builds binaries of the command line: `dist/opencode-multi-auth` for this machine, or with `--all` one
 * for every system that `deno compile` knows, with the system's name behind it.
 *
 * Deno downloads the runtime (`denort`) of each target. Where that is not possible, `DENORT_BIN` names
 * a file to put in its place; with anything but a denort this is a dry run of the build, and its result
 * is not our program.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { exists, inRepository, ROOT, VERSION } from "./repository.ts";
import { run, script, size } from "./program.ts";
import { PERMISSIONS } from "../src/platform/permissions.ts";
import { PROGRAM } from "../src/platform/version.ts";

/** Target of `deno compile` -> the processor and the executable format of its runtime. */
export const TARGETS = {
  "x86_64-unknown-linux-gnu": "x86_64 elf",
  "aarch64-unknown-linux-gnu": "aarch64 elf",
  "x86_64-apple-darwin": "x86_64 mach-o",
  "aarch64-apple-darwin": "aarch64 mach-o",
  "x86_64-pc-windows-msvc": "x86_64 pe",
  "aarch64-pc-windows-msvc": "aarch64 pe",
} as const;

type Target = keyof typeof TARGETS;

/** Largest program that a binary may carry beside the runtime, in KB. */
const PROGRAM_LIMIT_KB = 1024;

/** What became of one target. */
interface Built {
  readonly target: Target;
  readonly file?: string;
  /** What `deno compile` says it put in, as `<name> (<size>)`. */
  readonly embedded?: readonly string[];
  readonly skipped?: string;
}

/**
 * The files that `deno compile` reports to have put into a binary.
 *
 * @param report What it prints.
 * @throws {Error} when there is no such list in it.
 */
export function embeddedFiles(report: string): string[] {
  const [, list] = /Embedded Files\s*\n([^]*?)\n\s*Files:/.exec(stripVTControlCharacters(report)) ??
    [];
  if (list === undefined) throw new Error("deno compile did not say what it put into the binary.");
  return [...list.matchAll(/[└├]──[┬─]* (.+ \([\d.]+\w+\))$/gm)].map((found) => found[1] ?? "");
}

/**
 * Holds that a binary carries the bundled program and nothing else: no package, no test, no file of the
 * machine that built it.
 *
 * @throws {Error} that names what is too much.
 */
export function checkEmbedded(files: readonly string[]): void {
  const [file = ""] = files;
  const size = /^\.deno_compile_bundle_\w+\.mjs \(([\d.]+)KB\)$/.exec(file)?.[1];
  if (files.length !== 1 || size === undefined) {
    throw new Error(`The binary holds ${files.join(", ") || "nothing"}, not the bundle alone.`);
  }
  if (Number(size) > PROGRAM_LIMIT_KB) {
    throw new Error(
      `The bundle has ${size} KB, more than ${PROGRAM_LIMIT_KB}. See what cli.ts reaches.`,
    );
  }
}

/** What `deno compile` is called with. */
export function compileArguments(target: Target, file: string): string[] {
  return [
    "compile",
    ...PERMISSIONS,
    "--no-check",
    "--bundle",
    "--minify",
    "--target",
    target,
    "--output",
    file,
    "cli.ts",
  ];
}

/**
 * Compiles one target.
 *
 * @param name The binary's name, without an ending.
 * @param denort The file named by `DENORT_BIN`, if any.
 */
async function compile(
  target: Target,
  name: string,
  denort: string | undefined,
): Promise<Built> {
  if (denort !== undefined && format(denort) !== TARGETS[target]) {
    return {
      target,
      skipped: `DENORT_BIN is ${format(denort)}, this target needs ${TARGETS[target]}`,
    };
  }
  const suffix = target.includes("windows") ? ".exe" : "";
  const file = inRepository("dist", `${name}${suffix}`);
  const report = await run(Deno.execPath(), compileArguments(target, file), {
    cwd: ROOT,
    errors: true,
  }).catch((error: Error) => {
    // Deno gives the address it could not reach, and the layers it failed in: two lines are enough.
    const reason = error.message.split("\n").find((line) => line.includes("denort"));
    if (reason === undefined) throw error;
    throw new Error(
      `The runtime for ${target} could not be fetched (${reason.trim()}). ` +
        "Let this machine reach it, or name one with DENORT_BIN.",
    );
  });
  const embedded = embeddedFiles(report);
  checkEmbedded(embedded);
  return { target, file, embedded };
}

/** Processors by their numbers in each executable format. */
const PROCESSORS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  elf: { 62: "x86_64", 183: "aarch64" },
  "mach-o": { 0x0100_0007: "x86_64", 0x0100_000c: "aarch64" },
  pe: { 0x8664: "x86_64", 0xaa64: "aarch64" },
};

/** The processor and the executable format of a file, by its head: `x86_64 elf`. */
export function format(path: string): string {
  using file = Deno.openSync(path);
  const head = new DataView(new ArrayBuffer(4096));
  file.readSync(new Uint8Array(head.buffer));
  const of = (kind: string, machine: number) =>
    `${PROCESSORS[kind]?.[machine] ?? "unknown"} ${kind}`;
  if (head.getUint32(0) === 0x7f45_4c46) return of("elf", head.getUint16(18, true));
  if (head.getUint32(0) === 0xcffa_edfe) return of("mach-o", head.getUint32(4, true));
  if (head.getUint16(0) !== 0x4d5a) return "unknown";
  // The rest of a PE file begins where this says, usually within the first kilobyte.
  const start = Math.min(head.getUint32(0x3c, true), head.byteLength - 6);
  return of("pe", head.getUint16(start + 4, true));
}

/** One line about what became of a target. */
async function about(built: Built, startable: boolean): Promise<string> {
  if (built.file === undefined) return `not built: ${built.skipped}`;
  const bytes = Deno.statSync(built.file).size;
  const seen = startable ? await introduce(built.file) : "not started on this machine";
  return `${built.file} (${size(bytes)}), ${seen}; holds ${built.embedded?.join(", ")}`;
}

/** Starts the binary for this machine and says what it is. */
async function introduce(file: string): Promise<string> {
  const said = (await run(file, ["--version"])).trim().split("\n")[0] ?? "";
  return said.includes(VERSION)
    ? `says version ${VERSION}`
    : `is not our program, it says: ${said}`;
}

if (import.meta.main) {
  await script(async () => {
    const unknown = Deno.args.filter((arg) => arg !== "--all");
    if (unknown.length > 0) {
      throw new Error(`compile does not know ${unknown.join(" ")}. Give it --all or nothing.`);
    }
    const denort = Deno.env.get("DENORT_BIN") || undefined;
    if (denort !== undefined && !exists(denort)) {
      throw new Error(`DENORT_BIN names ${denort}, which is not there. Mend or unset it.`);
    }
    if (denort !== undefined) {
      console.log(
        `The runtime is ${denort} (DENORT_BIN). Unless that is the denort of Deno ` +
          `${Deno.version.deno} for the target, this is a dry run: it shows that the program ` +
          "compiles, and its result is not our program.",
      );
    }
    const here = Deno.build.target as Target;
    const all = Deno.args.includes("--all");
    const targets = all ? Object.keys(TARGETS) as Target[] : [here];
    Deno.mkdirSync(inRepository("dist"), { recursive: true });
    for (const target of targets) {
      const built = await compile(target, all ? `${PROGRAM}-${target}` : PROGRAM, denort);
      console.log(`${target.padEnd(26)} ${await about(built, target === here)}`);
    }
  });
}
