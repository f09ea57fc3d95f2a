/**
 * GET /codex/models: the fixtures' list, as far as the plan and the client's version allow.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isObject } from "./http.ts";
import type { Plan } from "./plan.ts";

const FIXTURE = new URL("../fixtures/codex/models.json", import.meta.url);

/** Below these client versions the backend hides a model (read in public source). */
const OLDEST_CLIENT: readonly [prefix: string, version: string][] = [
  ["gpt-5.6", "0.144.0"],
  ["gpt-5.5", "0.124.0"],
  ["gpt-5.4", "0.98.0"],
];

type Model = Record<string, unknown> & { slug: string };

let fixture: Model[] | undefined;

/** The list and its ETag. A slug that the fixtures lack gets the entry of another, renamed. */
export function modelList(plan: Plan, clientVersion: string): { body: string; etag: string } {
  fixture ??= readFixture();
  const [pattern] = fixture;
  const known = fixture;
  const slugs = plan.models ?? known.map((model) => model.slug);
  const models = slugs.filter((slug) => !isHidden(slug, clientVersion)).map((slug) =>
    known.find((model) => model.slug === slug) ?? { ...pattern, slug, display_name: slug }
  );
  const body = JSON.stringify({ models });
  return { body, etag: `W/"${createHash("sha256").update(body).digest("hex").slice(0, 32)}"` };
}

function readFixture(): Model[] {
  const list: unknown = JSON.parse(readFileSync(FIXTURE, "utf8"));
  if (!isObject(list) || !Array.isArray(list.models)) {
    throw new Error(`${FIXTURE.pathname} has no list "models"; restore it from the repository.`);
  }
  return list.models;
}

function isHidden(slug: string, clientVersion: string): boolean {
  const rule = OLDEST_CLIENT.find(([prefix]) => slug.startsWith(prefix));
  return rule !== undefined && isOlder(clientVersion, rule[1]);
}

function isOlder(version: string, than: string): boolean {
  const numbers = (text: string) => text.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const [a, b] = [numbers(version), numbers(than)];
  for (let index = 0; index < 3; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
