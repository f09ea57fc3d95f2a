import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Session } from "./session.ts";

/** The variable with the passphrase of an export. */
export const EXPORT = "OPENCODE_MULTI_AUTH_EXPORT_PASSPHRASE";
/** Such a passphrase; the blank belongs to it. */
export const SECRET = "for the journey ";

/** Every token of the fixtures' stores begins like one of these. */
export const TOKENS = /eyJhbGciO|rt_fixture|rt_/;

/** The environment of the session, and more. */
export function withEnv(session: Session, env: Record<string, string>) {
  return { env: { HOME: session.home, PATH: Deno.env.get("PATH"), ...env } };
}

/** Puts a file of the fixtures into the home folder. */
export function bring(session: Session, path: string, name = "file.json"): string {
  const file = new URL(`../fixtures/${path}`, import.meta.url).pathname;
  copyFileSync(file, join(session.home, name));
  return name;
}

/** Writes a file into the home folder. */
export function put(session: Session, text: string, name = "file.json"): string {
  writeFileSync(join(session.home, name), text);
  return name;
}

/** What the accounts are, without tokens. */
export async function accounts(session: Session): Promise<unknown> {
  return (await session.json("list", "--json"))["accounts"];
}

/** Alias and action of each account in what `import --json` prints. */
export function actions(out: string): unknown {
  const { accounts } = JSON.parse(out) as { accounts: { alias: string; action: string }[] };
  return accounts.map(({ alias, action }) => `${alias}: ${action}`);
}
