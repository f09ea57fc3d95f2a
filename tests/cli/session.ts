import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMANDS } from "../../src/cli/commands.ts";
import type { Context } from "../../src/cli/context.ts";
import { runQuick } from "../../src/cli/quick.ts";
import { run } from "../../src/cli/run.ts";
import { FIXTURE_NOW, VirtualClock } from "../virtual_clock.ts";

/** What a run of the program left behind. */
export interface Ran {
  /** Exit status. */
  readonly code: number;
  /** Standard output. */
  readonly out: string;
  /** Standard error. */
  readonly err: string;
}

/** A person's machine with a home folder of its own, on which the program runs in this process. */
export interface Session {
  readonly home: string;
  /** The store folder. */
  readonly folder: string;
  readonly clock: VirtualClock;
  /** Runs `opencode-multi-auth <argv>`. */
  run(...argv: string[]): Promise<Ran>;
  /** The same with another context. */
  runWith(changes: Partial<Context>, ...argv: string[]): Promise<Ran>;
  /** The same, its standard output read as JSON. */
  json(...argv: string[]): Promise<Record<string, unknown>>;
  /** Runs it by the quick part of the command line. */
  quick(...argv: string[]): Promise<Ran>;
  /** Puts a store of `tests/fixtures/store/` in place. */
  useFixture(name: string): void;
  /** Everything in the home folder: path -> content, or "folder". */
  files(): Record<string, string>;
}

const FIXTURES = new URL("../fixtures/", import.meta.url);

/** The text of a file under `tests/fixtures/`. */
export function fixture(path: string): string {
  return readFileSync(new URL(path, FIXTURES), "utf8");
}

/** Runs a test on a machine that is thrown away afterwards. */
export async function withSession(test: (session: Session) => Promise<void>): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "multi-auth-cli-"));
  try {
    await test(session(home));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function session(home: string): Session {
  const folder = join(home, ".config", "opencode-multi-auth");
  const clock = new VirtualClock(FIXTURE_NOW);
  const runBy = async (
    run: (context: Context) => Promise<number>,
    changes: Partial<Context>,
    argv: readonly string[],
  ): Promise<Ran> => {
    let out = "";
    let err = "";
    const code = await run({
      argv,
      env: { HOME: home },
      write: (text) => void (out += text),
      warn: (text) => void (err += text),
      terminal: { input: false, output: false },
      columns: 80,
      colour: false,
      locale: "en-US",
      timeZone: "UTC",
      clock,
      random: Math.random,
      fetch: () => Promise.reject(new TypeError("this test has no network")),
      callbackPorts: [0],
      prompts: () => Promise.reject(new Error("this test has nobody to ask")),
      readLine: () => Promise.resolve(undefined),
      openBrowser: () => Promise.resolve(false),
      signal: new AbortController().signal,
      folder: home,
      ...changes,
    });
    return { code, out, err };
  };
  const runWith = (changes: Partial<Context>, ...argv: string[]) =>
    runBy((context) => run(context, COMMANDS), changes, argv);
  const runPlain = (...argv: string[]) => runWith({}, ...argv);
  return {
    home,
    folder,
    clock,
    run: runPlain,
    runWith,
    quick: (...argv) => runBy(runQuick, {}, argv),
    async json(...argv) {
      const { code, out, err } = await runPlain(...argv);
      if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}: ${err}`);
      return JSON.parse(out);
    },
    useFixture(name) {
      cpSync(new URL(`store/${name}`, FIXTURES), join(folder, "accounts.json"));
    },
    files: () => contents(home),
  };
}

function contents(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(folder, name);
    found[name] = statSync(path).isDirectory() ? "folder" : readFileSync(path, "base64");
  }
  return found;
}
