import { builtin, runtime } from "../platform/runtime.ts";
import type { Clock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { type Environment, set } from "../platform/paths.ts";
import { deriveKey, type KeyParameters, newKeyParameters, parametersName } from "./seal.ts";

/** Thrown by synchronous work that needs a key first; see {@linkcode Keyring.withKeys}. */
export class KeyNeeded extends Error {
  constructor(readonly parameters: KeyParameters) {
    super("a key must be derived first");
  }
}

/** How long the passphrase command may take, in milliseconds: a person may have to unlock a keyring. */
const COMMAND_MS = 120_000;
/** How long it is not asked again after it has failed, in milliseconds. */
const COMMAND_PAUSE_MS = 10_000;

/** The passphrase of one process, asked for only when it is needed, and the keys made of it. */
export class Keyring {
  /** A passphrase given by hand wins over the environment; null means that files are to be plain. */
  #given: string | null | undefined;
  readonly #keys = new Map<string, Uint8Array | "none">();
  #fresh: KeyParameters | undefined;
  #asked: Promise<string | undefined> | undefined;
  #problem: Failure | undefined;
  #askAgainAt = 0;

  constructor(private readonly env: Environment, private readonly clock: Pick<Clock, "now">) {}

  /** Whether saves are to be sealed. */
  get configured(): boolean {
    if (this.#given !== undefined) return this.#given !== null;
    return set(this.env["CODEX_SOFT_STORE_PASSPHRASE"]) !== undefined ||
      set(this.env["CODEX_SOFT_STORE_PASSPHRASE_COMMAND"]) !== undefined;
  }

  /** Why there is no passphrase although a command should give one. */
  get problem(): Failure | undefined {
    return this.#problem;
  }

  /** Parameters for files that are sealed anew; the same throughout the process, so that their key is derived once. */
  get fresh(): KeyParameters {
    return this.#fresh ??= newKeyParameters();
  }

  /** Uses this passphrase from now on; null: none. Returns what takes that back. */
  use(passphrase: string | null): () => void {
    const before = { given: this.#given, asked: this.#asked, fresh: this.#fresh };
    const keys = new Map(this.#keys);
    this.#given = passphrase;
    this.#asked = undefined;
    this.#problem = undefined;
    this.#keys.clear();
    this.#fresh = undefined;
    return () => {
      this.#given = before.given;
      this.#asked = before.asked;
      this.#fresh = before.fresh;
      this.#keys.clear();
      for (const [name, key] of keys) this.#keys.set(name, key);
    };
  }

  /**
   * The key for these parameters, or undefined when there is no passphrase.
   *
   * @throws {KeyNeeded} when it was not derived yet.
   */
  key(parameters: KeyParameters): Uint8Array | undefined {
    const key = this.#keys.get(parametersName(parameters));
    if (key === undefined) throw new KeyNeeded(parameters);
    if (key !== "none") return key;
    if (this.configured && this.clock.now() >= this.#askAgainAt) throw new KeyNeeded(parameters);
    return undefined;
  }

  /** Runs synchronous work, deriving each key that it turns out to need. */
  async withKeys<T>(work: () => T): Promise<T> {
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!(error instanceof KeyNeeded)) throw error;
        await this.#derive(error.parameters);
      }
    }
  }

  async #derive(parameters: KeyParameters): Promise<void> {
    const passphrase = await (this.#asked ??= this.#ask());
    if (passphrase === undefined) this.#asked = undefined;
    const key = passphrase === undefined ? "none" : await deriveKey(passphrase, parameters);
    this.#keys.set(parametersName(parameters), key);
  }

  async #ask(): Promise<string | undefined> {
    if (this.#given !== undefined) return this.#given ?? undefined;
    // Untrimmed: a space at the end is part of it, as it is for the projects before us.
    const passphrase = set(this.env["CODEX_SOFT_STORE_PASSPHRASE"]);
    if (passphrase !== undefined) return passphrase;
    const command = set(this.env["CODEX_SOFT_STORE_PASSPHRASE_COMMAND"]);
    if (command === undefined) return undefined;
    try {
      const output = (await run(command, this.env)).replace(/\r?\n$/, "");
      if (output.trim() === "") throw new Error("it printed nothing");
      this.#problem = undefined;
      return output;
    } catch (error) {
      this.#askAgainAt = this.clock.now() + COMMAND_PAUSE_MS;
      this.#problem = new Failure(
        `The command in CODEX_SOFT_STORE_PASSPHRASE_COMMAND gave no passphrase (${reason(error)}).`,
        "Run it by hand to see why.",
      );
      return undefined;
    }
  }
}

/** Never the error's own text: it holds the command line, and the command may hold a secret. */
function reason(error: unknown): string {
  const { code, killed } = error as { code?: unknown; killed?: unknown };
  if (killed) return `it took longer than ${COMMAND_MS / 1000} s`;
  if (typeof code === "number") return `it ended with code ${code}`;
  return typeof code === "string" ? code : "it printed nothing";
}

/** Runs a command line in the system's shell and gives its standard output. What it says on standard error is dropped: OpenCode's screen is not ours. */
function run(command: string, env: Environment): Promise<string> {
  const windows = runtime.platform === "win32";
  const [shell, ...start] = windows ? ["cmd.exe", "/d", "/s", "/c"] : ["/bin/sh", "-c"];
  return new Promise((resolve, reject) => {
    const child = builtin("node:child_process").execFile(
      shell ?? "/bin/sh",
      [...start, command],
      { env: { ...env }, timeout: COMMAND_MS, windowsHide: true, encoding: "utf8" },
      (error, stdout) => error ? reject(error) : resolve(stdout),
    );
    child.stdin?.end();
  });
}
