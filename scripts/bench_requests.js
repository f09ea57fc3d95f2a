/**
 * One measurement of `deno task bench`, run by Bun, which is what OpenCode runs plugins in: the same
 * requests by a bare `fetch` and through the plugin, taking turns in one process.
 *
 * Arguments: path of plugin.js, the backend's URL, an access token, a workspace id, bytes, rounds.
 * Prints one line of JSON: milliseconds to the first byte and to the end, of every request in order.
 */
import process from "node:process";

const [plugin, backend, token, workspace, bytes, rounds] = process.argv.slice(2);
const { default: { server } } = await import(plugin);
const hooks = await server({});
const { fetch: pluginFetch } = await hooks.auth.loader(
  () =>
    Promise.resolve({
      type: "oauth",
      refresh: "opencode-multi-auth",
      access: "opencode-multi-auth",
      expires: 9e15,
    }),
  {},
);

const text = "word ".repeat(Math.ceil(Number(bytes) / 5)).slice(0, Number(bytes));
const body = JSON.stringify({
  model: "gpt-5.5",
  instructions: "Be brief.",
  input: [{ role: "user", content: [{ type: "input_text", text }] }],
  store: false,
  stream: true,
});
const headers = {
  "content-type": "application/json",
  originator: "opencode",
  "session-id": "ses_bench",
};
const bare = () =>
  fetch(`${backend}/codex/responses`, {
    method: "POST",
    headers: { ...headers, authorization: `Bearer ${token}`, "chatgpt-account-id": workspace },
    body,
  });
const through = () =>
  pluginFetch("https://api.openai.com/v1/responses", { method: "POST", headers, body });

async function time(send) {
  const start = performance.now();
  const response = await send();
  const reader = response.body.getReader();
  await reader.read();
  const first = performance.now() - start;
  while (!(await reader.read()).done);
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return { first, total: performance.now() - start };
}

for (let n = 0; n < 20; n++) await time(n % 2 ? bare : through);
const times = { bare: [], plugin: [] };
for (let n = 0; n < Number(rounds); n++) {
  // Who goes first alternates, so that neither always meets a warm cache.
  for (
    const [name, send] of n % 2
      ? [["bare", bare], ["plugin", through]]
      : [["plugin", through], ["bare", bare]]
  ) {
    times[name].push(await time(send));
  }
}
await hooks.dispose();
console.log(JSON.stringify(times));
process.exit(0);
