import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Account } from "../../src/account/account.ts";
import { importAccounts } from "../../src/store/import_accounts.ts";
import { type Candidate, readImportSource, type Refusal } from "../../src/store/import_source.ts";
import type { LocalStore } from "../../src/store/local.ts";
import { writeExport } from "../../src/store/transfer.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { FIXTURES } from "./store_folder.ts";

export const CONTEXT = { issuer: "https://auth.openai.com", now: FIXTURE_NOW };

export interface Person {
  readonly email: string;
  readonly workspace: string;
  readonly accountUserId: string;
  readonly refreshToken: string;
  readonly accessTokenValidTo2100: string;
  readonly accessTokenExpired: string;
}
export const PEOPLE: Record<string, Person> =
  JSON.parse(readFileSync(join(FIXTURES, "identities.json"), "utf8")).identities;

export function person(name: string): Person {
  const found = PEOPLE[name];
  assert.ok(found);
  return found;
}

export function authJson(name: string): unknown {
  return JSON.parse(readFileSync(join(FIXTURES, "auth-json", name), "utf8"));
}

export function items(json: unknown): readonly (Candidate | Refusal)[] {
  return readImportSource(json, CONTEXT).items;
}

/** What an export of these accounts offers. */
export function exported(...accounts: Account[]): readonly (Candidate | Refusal)[] {
  return items(JSON.parse(writeExport(accounts, FIXTURE_NOW)));
}

export const OPTIONS = { now: FIXTURE_NOW };

export async function actions(store: LocalStore, from: readonly (Candidate | Refusal)[]) {
  return (await importAccounts(store, from, OPTIONS)).map(({ alias, action }) => [alias, action]);
}

export function whyOf(item: Candidate | Refusal | undefined): string {
  assert.ok(item && "why" in item, "it was not refused");
  return item.why;
}
