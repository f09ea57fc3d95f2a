/**
 * A person's machine for the checks: a home folder that is thrown away, programs that are shell
 * scripts, and a network that answers as a test says.
 *
 * @module
 */
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Account } from "../../src/account/account.ts";
import type { Check, Finding, Look } from "../../src/doctor/check.ts";
import { systemPrograms } from "../../src/doctor/program.ts";
import type { Surroundings } from "../../src/doctor/surroundings.ts";
import { systemDisk } from "../../src/opencode/disk.ts";
import { PLACEHOLDER_ENTRY } from "../../src/opencode/placeholder.ts";
import { systemFiles } from "../../src/platform/files.ts";
import { type Environment, resolvePaths } from "../../src/platform/paths.ts";
import { PACKAGE, VERSION } from "../../src/platform/version.ts";
import { type LocalStore, openLocalStore } from "../../src/store/local.ts";
import { VirtualClock } from "../virtual_clock.ts";

/** The machine. */
export interface Machine {
  readonly home: string;
  readonly clock: VirtualClock;
  readonly surroundings: Surroundings;
  /** The same machine, another way. */
  with(changes: Partial<Surroundings>): Surroundings;
  /** The same with other variables. */
  withEnv(changes: Environment): Surroundings;
  /** Writes a file under the home folder. Gives its path. */
  put(path: string, text: string, mode?: number): string;
  /** Makes a program that is in PATH, a shell script. */
  program(name: string, script: string): string;
  /** Changes the store as the plugin does. */
  change(work: (store: LocalStore) => Promise<void>): Promise<void>;
  /** Adds an account. */
  account(alias: string, change?: (account: Account) => Account): Promise<Account>;
  /** Everything in the home folder: its kind, mode and content by path. */
  everything(): Record<string, string>;
}

/** The entry that `install` would write on this machine. */
export const SPEC = `${PACKAGE}@${VERSION}`;

/** Runs a test on a machine that is thrown away afterwards. */
export async function withMachine(test: (machine: Machine) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "multi-auth-doctor-test-"));
  try {
    await test(machine(root));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function machine(root: string): Machine {
  const home = join(root, "home");
  const bin = join(root, "bin");
  const temporary = join(root, "tmp");
  for (const folder of [home, bin, temporary]) mkdirSync(folder);
  const clock = new VirtualClock(Date.now());
  const env = { HOME: home, PATH: `${bin}:/usr/bin:/bin` };
  const paths = resolvePaths(env);
  const surroundings: Surroundings = {
    env,
    home,
    paths,
    clock,
    random: Math.random,
    fetch: () => Promise.reject(new TypeError("this test has no network")),
    files: systemFiles,
    disk: systemDisk,
    uid: process.getuid?.(),
    folder: home,
    spec: SPEC,
    run: systemPrograms(clock),
    temporary,
  };
  const change = async (work: (store: LocalStore) => Promise<void>) => {
    const store = await openLocalStore({ paths, env, clock });
    try {
      await store.load();
      await work(store);
    } finally {
      await store.close();
    }
  };
  const put = (path: string, text: string, mode = 0o600) => {
    const file = join(home, path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  };
  return {
    home,
    clock,
    surroundings,
    with: (changes) => ({ ...surroundings, ...changes }),
    withEnv: (changes) => ({
      ...surroundings,
      env: { ...env, ...changes },
      paths: resolvePaths({ ...env, ...changes }),
    }),
    put,
    program(name, script) {
      const path = join(bin, name);
      writeFileSync(path, `#!/bin/sh\n${script}\n`);
      chmodSync(path, 0o755);
      return path;
    },
    change,
    async account(alias, edit = (account) => account) {
      const account = edit(accountOf(alias, clock.now()));
      await change((store) => store.add(account));
      return account;
    },
    everything: () => contents(home),
  };
}

function accountOf(alias: string, now: number): Account {
  return {
    id: `id-${alias}`,
    alias,
    credentials: {
      accessToken: `${SECRET}-access-${alias}`,
      refreshToken: `${SECRET}-refresh-${alias}`,
      expiresAt: now + 9 * 24 * 3_600_000,
    },
    generation: 1,
    email: `${alias}@example.com`,
    enabled: true,
    tags: [],
    notes: "",
    source: "login",
  };
}

/** Stands in every token of the machine's accounts, so that a test can look for it. */
export const SECRET = "tokenmaterial";

function contents(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    const what = stat.isDirectory()
      ? "folder"
      : stat.isSymbolicLink()
      ? readlinkSync(path)
      : readFileSync(path, "base64");
    found[name] = `${(stat.mode & 0o777).toString(8)} ${what}`;
  }
  return found;
}

/** Makes one look of a check. */
export async function lookAt(check: Check | undefined): Promise<Look> {
  if (check === undefined) throw new Error("There is no such check.");
  return await check.look(new AbortController().signal);
}

/** The check with this name. */
export function named(checks: readonly Check[], name: string, group?: string): Check {
  const found = checks.find((one) =>
    one.name === name && (group === undefined || one.group === group)
  );
  if (found === undefined) throw new Error(`There is no check "${name}".`);
  return found;
}

/** The finding with this name; throws where there is none. */
export function finding({ findings }: Look, name: string): Finding {
  const found = findings.find((one) => one.name === name);
  if (found === undefined) {
    throw new Error(`Nothing is said of "${name}", only of ${findings.map((one) => one.name)}.`);
  }
  return found;
}

/** Sets OpenCode up on a machine with these plugins. */
export function configure({ put }: Machine, plugin: readonly unknown[]): void {
  put(".config/opencode/opencode.json", JSON.stringify({ plugin }));
  put(".local/share/opencode/auth.json", JSON.stringify({ openai: PLACEHOLDER_ENTRY }));
}
