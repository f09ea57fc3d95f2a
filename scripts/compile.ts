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
import { exists, inRepository, ROOT, VERSION } from "./repository.ts";
import { run, script, size } from "./program.ts";
import { PERMISSIONS } from "../src/platform/permissions.ts";
import { PROGRAM } from "../src/platform/version.ts";

/** Target of `deno compile` -> the start of the executable format it needs. */
const TARGETS = {
  "x86_64-unknown-linux-gnu": "elf",
  "aarch64-unknown-linux-gnu": "elf",
  "x86_64-apple-darwin": "mach-o",
  "aarch64-apple-darwin": "mach-o",
  "x86_64-pc-windows-msvc": "pe",
  "aarch64-pc-windows-msvc": "pe",
} as const;

type Target = keyof typeof TARGETS;

/** What became of one target. */
interface Built {
  readonly target: Target;
  readonly file?: string;
  readonly skipped?: string;
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
  await run(Deno.execPath(), [
    "compile",
    "--quiet",
    ...PERMISSIONS,
    "--exclude-unused-npm",
    "--target",
    target,
    "--output",
    file,
    "cli.ts",
  ], { cwd: ROOT }).catch((error: Error) => {
    // Deno gives the address it could not reach, and the layers it failed in: two lines are enough.
    const reason = error.message.split("\n").find((line) => line.includes("denort"));
    if (reason === undefined) throw error;
    throw new Error(
      `The runtime for ${target} could not be fetched (${reason.trim()}). ` +
        "Let this machine reach it, or name one with DENORT_BIN.",
    );
  });
  return { target, file };
}

/** The executable format of a file, by its first bytes. */
function format(path: string): "elf" | "mach-o" | "pe" | "unknown" {
  using file = Deno.openSync(path);
  const head = new Uint8Array(4);
  file.readSync(head);
  const magic = [...head].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (magic === "7f454c46") return "elf";
  if (magic.startsWith("4d5a")) return "pe";
  return magic === "cffaedfe" || magic === "cafebabe" ? "mach-o" : "unknown";
}

/** One line about what became of a target. */
async function about(built: Built, startable: boolean): Promise<string> {
  if (built.file === undefined) return `not built: ${built.skipped}`;
  const bytes = Deno.statSync(built.file).size;
  const seen = startable ? await introduce(built.file) : "not started on this machine";
  return `${built.file} (${size(bytes)}), ${seen}`;
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
