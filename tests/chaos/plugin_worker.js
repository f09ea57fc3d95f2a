/**
 * One OpenCode-like process of several on one store: loads the built plugin, as OpenCode does, and
 * sends requests through its fetch. Started by Bun.
 *
 * Arguments: path of plugin.js, how many requests (0 = until killed), a name for its sessions, `whole` for answers in one piece.
 * Prints the status of each answer, before them `ready` if it is to run until it is killed; if the first is refused, its reason goes to standard error, which
 * the tests want empty.
 */
import process from "node:process";
import { writeSync } from "node:fs";

const [plugin, count, name, form] = process.argv.slice(2);
const { default: { server } } = await import(plugin);
const hooks = await server({});
const entry = { type: "oauth", refresh: "opencode-multi-auth", access: "-", expires: 9e15 };
// As OpenCode does at its start, and by that loads what serves requests.
await hooks.provider.models({ models: {} }, { auth: entry });
const { fetch: pluginFetch } = await hooks.auth.loader(() => Promise.resolve(entry), {});

if (count === "0") writeSync(1, "ready\n");
for (let n = 0; count === "0" || n < Number(count); n++) {
  const response = await pluginFetch("https://api.openai.com/v1/responses", {
    method: "POST",
    headers: { "content-type": "application/json", "session-id": `${name}-${n}` },
    body: JSON.stringify({ model: "gpt-5.5", input: [], store: false, stream: form !== "whole" }),
  });
  const text = await response.text();
  if (response.status !== 200 && n === 0) writeSync(2, text);
  writeSync(1, `${response.status}\n`);
}
await hooks.dispose();
process.exit(0);
