import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limitSources } from "../../src/limits/sources.ts";
import type { LimitAnswer, SourceName } from "../../src/limits/sources.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { testAccount } from "../store/store_folder.ts";

/** A machine whose Codex CLI is a shell script of the test's. */
export interface FakeCodex {
  readonly home: string;
  /** Text of a file in the home folder, "" while there is none. */
  text(name: string): string;
  /** Asks through the script. */
  ask(source: SourceName, options?: AskOptions): Promise<LimitAnswer>;
}

/** How is asked. */
export interface AskOptions {
  readonly limitMs?: number;
  readonly signal?: AbortSignal;
  readonly sealed?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Says `codex-cli 0.20.0` for `--version`, and all that the script says otherwise. */
export async function withCodex(
  script: string,
  test: (codex: FakeCodex) => Promise<void>,
): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "fake-codex-"));
  const program = join(home, "codex");
  const version = 'if [ "$1" = --version ]; then echo "codex-cli 0.20.0"; exit 0; fi';
  writeFileSync(program, `#!/bin/sh\n${version}\n${script}\n`);
  chmodSync(program, 0o755);
  try {
    await test({
      home,
      text: (name) => existsSync(join(home, name)) ? readFileSync(join(home, name), "utf8") : "",
      ask: (source, options = {}) => {
        const sources = limitSources({
          env: {
            HOME: home,
            PATH: `${home}:/usr/bin:/bin`,
            CODEX_SOFT_STORE_PASSPHRASE: "the passphrase",
            OPENAI_API_KEY: "sk-of-the-person",
            ...options.env,
          },
          folder: home,
          fetch: () => Promise.reject(new TypeError("no network in this test")),
          backend: "http://127.0.0.1:9",
          clock: systemClock,
          aliases: () => ["work"],
          sealed: () => options.sealed ?? false,
          ...(options.limitMs === undefined ? {} : { limitMs: options.limitMs }),
        });
        const signal = options.signal ?? new AbortController().signal;
        return sources[source](ACCOUNT, signal);
      },
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** The account that is asked about. */
export const ACCOUNT = testAccount("work", {
  credentials: {
    accessToken: "access-token-that-nobody-may-see",
    refreshToken: "refresh-token-that-nobody-may-see",
    expiresAt: 4102444800_000,
  },
});

/** Whether any process runs whose command line holds this text. */
export function runs(text: string): boolean {
  const { stdout } = new Deno.Command("ps", { args: ["-eo", "args"] }).outputSync();
  return new TextDecoder().decode(stdout).split("\n").some((line) =>
    line.includes(text) && !line.includes("ps -eo")
  );
}
