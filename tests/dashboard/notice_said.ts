import assert from "node:assert/strict";
import type { Visitor } from "./stage.ts";

/** Submits a form and gives what the next page says. */
export async function say(
  visitor: Visitor,
  path: string,
  fields: Record<string, string> = {},
): Promise<string> {
  const response = await visitor.post(path, fields);
  assert.equal(response.status, 303, await response.text());
  const html = await (await visitor.get(response.headers.get("location") ?? "")).text();
  const [, kind, text] = /id="notice" class="(\w+)">([^<]*)/.exec(html) ?? [];
  return `${kind}: ${(text ?? "").replaceAll("&quot;", '"').replaceAll("&#39;", "'")}`;
}
