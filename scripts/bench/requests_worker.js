/**
 * One measurement of requests, run by Bun, which is what OpenCode runs plugins in: the same requests
 * by a bare `fetch` and through each plugin, taking turns in one process.
 *
 * Argument: a JSON object, see `requests.ts`. Prints one line of JSON.
 */
import { existsSync } from "node:fs";
import process from "node:process";

const task = JSON.parse(process.argv[2]);
const realFetch = globalThis.fetch;

/** OpenCode's entry for `openai`, as our own placeholder; another plugin gets real tokens. */
const entry = (access) => ({
  type: "oauth",
  refresh: "opencode-multi-auth",
  access,
  expires: 9e15,
});
const text = "word ".repeat(Math.ceil(task.bytes / 5)).slice(0, task.bytes);
const fields = {
  model: "gpt-5.5",
  instructions: "Be brief.",
  input: [{ role: "user", content: [{ type: "input_text", text }] }],
  store: false,
};
const streamed = JSON.stringify({ ...fields, stream: true });
const whole = JSON.stringify(fields);
const headers = (session) => ({
  "content-type": "application/json",
  originator: "opencode",
  "session-id": session,
});

/** name -> sends one request of a session. */
const ways = {
  bare: (session) =>
    realFetch(`${task.backend}/codex/responses`, {
      method: "POST",
      headers: {
        ...headers(session),
        authorization: `Bearer ${task.token}`,
        "chatgpt-account-id": task.workspace,
      },
      body: streamed,
    }),
};
const endings = [];

const { default: { server } } = await import(task.plugin);
const hooks = await server({});
const ours = await hooks.auth.loader(() => Promise.resolve(entry("opencode-multi-auth")), {});
endings.push(() => hooks.dispose());
ways.plugin = (session) =>
  ours.fetch("https://api.openai.com/v1/responses", {
    method: "POST",
    headers: headers(session),
    body: task.stream ? streamed : whole,
  });

if (task.peer) {
  // It knows one backend; its requests are led to ours, everything else it may not reach.
  globalThis.fetch = (input, init) => {
    const url = String(input);
    const rest = url.split("https://chatgpt.com/backend-api")[1];
    if (rest !== undefined) return realFetch(task.backend + rest, init);
    return url.startsWith(task.backend)
      ? realFetch(input, init)
      : Promise.resolve(new Response("", { status: 404 }));
  };
  const { OpenAIAuthPlugin } = await import(task.peer);
  const theirs = await (await OpenAIAuthPlugin({ client: {} })).auth.loader(
    () => Promise.resolve(entry(task.token)),
    {},
  );
  ways.peer = (session) =>
    theirs.fetch("https://chatgpt.com/backend-api/responses", {
      method: "POST",
      headers: headers(session),
      body: streamed,
    });
}

async function time(send, session) {
  const start = performance.now();
  const response = await send(session);
  const reader = response.body.getReader();
  await reader.read();
  const first = performance.now() - start;
  while (!(await reader.read()).done);
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return { first, total: performance.now() - start };
}

/** Sends as many requests at once as asked for, of as many sessions. */
function wave(send) {
  return Promise.all(
    Array.from({ length: task.atOnce }, (_, n) => time(send, `ses_bench_${n % task.sessions}`)),
  );
}

const names = Object.keys(ways);
// Until the runtime has compiled what it will go on to run.
for (let n = 0; n < Math.max(200 / task.atOnce, 3); n++) {
  for (const name of names) await wave(ways[name]);
}
const times = Object.fromEntries(names.map((name) => [name, []]));
const memory = [];
for (let n = 0; n < task.rounds; n++) {
  // Asking for a file that is not there is what a trace of the system shows in its place.
  if (task.mark) existsSync(`round ${n}`);
  // Who goes first alternates, so that none always meets a warm cache.
  for (let k = 0; k < names.length; k++) {
    const name = names[(k + n) % names.length];
    if (task.only && name !== task.only) continue;
    const came = await wave(ways[name]);
    if (!task.only) times[name].push(...came);
  }
  if (task.memoryEvery && n % task.memoryEvery === task.memoryEvery - 1) {
    Bun.gc(true);
    memory.push(process.memoryUsage().rss);
  }
}
for (const end of endings) await end();
console.log(JSON.stringify({ times, memory }));
process.exit(0);
