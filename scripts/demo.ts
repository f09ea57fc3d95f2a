/**
 * `deno task demo`: the main job on the simulated backend. Three accounts sign in through the real
 * `add` command, conversations run through the plugin's own fetch, one account reaches its limit and
 * hands over, and comes back. Needs no account and no internet, and touches nothing of yours.
 *
 * @module
 */
import { COMMANDS } from "../src/cli/commands.ts";
import { systemContext } from "../src/cli/context.ts";
import { NOBODY } from "../src/cli/person.ts";
import { run } from "../src/cli/run.ts";
import { PLACEHOLDER_ENTRY } from "../src/opencode/placeholder.ts";
import type { Hooks } from "../src/opencode/host.ts";
import { server } from "../src/opencode/server.ts";
import { type Simulator, startSimulator } from "../tests/simulator/simulator.ts";

const FIVE_HOURS = 300;
const WEEK = 10_080;
/** Personal's five hours end this soon, in milliseconds, so that the demo shows an account come back. */
const RESET_MS = 7_000;
/** The registered callback ports first; the others in case a login of yours holds them. */
const CALLBACK_PORTS = [1455, 1457, 31455, 31457];

const PLANS = [
  { name: "personal", planType: "plus", used: 4, cost: 32 },
  { name: "work", planType: "team", used: 18, cost: 9 },
  { name: "backup", planType: "pro", used: 0, cost: 2 },
] as const;

const colour = Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR");
const paint = (code: number, text: string) => colour ? `\x1b[${code}m${text}\x1b[0m` : text;
const [RED, GREEN, YELLOW, DIM, BOLD] = [31, 32, 33, 2, 1];
const say = (text = "") => console.log(text);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What is used, ten cells wide. */
function bar(percent: number): string {
  const full = Math.min(Math.round(percent / 10), 10);
  const shade = percent >= 100 ? RED : percent >= 70 ? YELLOW : GREEN;
  return paint(shade, "█".repeat(full)) + paint(DIM, "░".repeat(10 - full));
}

/** Runs the real command line. Its output is shown, or kept quiet when `show` is false. */
async function command(argv: string[], env: Record<string, string>, show = true): Promise<void> {
  let said = "";
  const status = await run({
    ...systemContext(import.meta.url, new AbortController().signal, NOBODY),
    argv,
    env,
    callbackPorts: CALLBACK_PORTS,
    write: (text) =>
      show ? void Deno.stdout.writeSync(new TextEncoder().encode(text)) : said += text,
    warn: (text) => said += text,
    // What the person and the browser would do: the simulated issuer approves by itself and sends
    // the browser to the callback on this machine.
    openBrowser: async (url) => {
      await (await fetch(url)).body?.cancel();
      return true;
    },
  }, COMMANDS);
  if (status !== 0) throw new Error(`${argv.join(" ")} ended with ${status}: ${said}`);
}

/** One turn of a conversation, as OpenCode asks for it. Says who answered. */
async function turn(hooks: Hooks, simulator: Simulator, session: string): Promise<string> {
  const { apiKey, fetch: pluginFetch } = await hooks.auth.loader(
    () => Promise.resolve(PLACEHOLDER_ENTRY),
    {},
  ) as { apiKey: string; fetch: typeof fetch };
  const response = await pluginFetch("https://api.openai.com/v1/responses", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${apiKey}`,
      originator: "opencode",
      "session-id": `ses_${session}`,
    },
    body: JSON.stringify({
      model: "gpt-5.5",
      instructions: "Be brief.",
      input: [{ role: "user", content: [{ type: "input_text", text: "Go on." }] }],
      store: false,
      stream: true,
    }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
  return simulator.requests.findLast((request) => request.status === 200)?.plan ?? "nobody";
}

/** Shows who answered, and a hand-over where one happened. */
class Screen {
  readonly #home = new Map<string, string>();
  #turns = 0;

  show(session: string, plan: string, simulator: Simulator): void {
    const before = this.#home.get(session);
    if (before !== undefined && before !== plan) {
      say(
        paint(
          BOLD,
          `  ${before} is at its limit and hands over to ${plan}; the conversation goes on`,
        ),
      );
    }
    this.#home.set(session, plan);
    const used = PLANS.map(({ name }) => {
      const percent = Math.round(simulator.plan(name).used(FIVE_HOURS));
      return `${name} ${bar(percent)} ${`${percent}%`.padStart(4)}`;
    }).join("  ");
    say(
      `  turn ${String(++this.#turns).padStart(2)}  ${session.padEnd(8)} ${plan.padEnd(9)} ${
        paint(DIM, "|")
      } ${used}`,
    );
  }
}

const folder = Deno.makeTempDirSync({ prefix: "opencode-multi-auth-demo-" });
const simulator = await startSimulator({ redirectPorts: CALLBACK_PORTS });
const env = {
  HOME: folder,
  PATH: Deno.env.get("PATH") ?? "",
  OPENCODE_MULTI_AUTH_STORE_DIR: `${folder}/store`,
  OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
  OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
};
let hooks: Hooks | undefined;
try {
  for (const { name, planType, used, cost } of PLANS) {
    simulator.addPlan({
      name,
      email: `you@${name}.example`,
      planType,
      windows: [
        {
          minutes: FIVE_HOURS,
          usedPercent: used,
          costPercentPerRequest: cost,
          ...(name === "personal" ? { resetsInMs: RESET_MS } : {}),
        },
        { minutes: WEEK, usedPercent: used / 3, costPercentPerRequest: cost / 20 },
      ],
    });
  }
  say(paint(BOLD, "1. Three accounts sign in (real OAuth code, simulated issuer on this machine)"));
  for (const { name } of PLANS) {
    simulator.approveNext(name);
    await command(["add", name], env, false);
    say(`  opencode-multi-auth add ${name.padEnd(9)} signed in as you@${name}.example`);
  }

  say(paint(BOLD, "\n2. Conversations take the accounts in turn, and each stays on its own"));
  hooks = await server({}, env);
  const screen = new Screen();
  const ask = async (session: string) => {
    screen.show(session, await turn(hooks!, simulator, session), simulator);
    await pause(350);
  };
  for (const session of ["tests", "docs", "release", "tests", "docs", "tests"]) await ask(session);

  say(paint(BOLD, "\n3. personal runs out of quota in the middle of a conversation"));
  for (const session of ["tests", "release", "tests"]) await ask(session);

  await hooks.event({ event: { type: "session.idle" } });
  say(paint(BOLD, "\n4. What status says now"));
  await command(["status"], env);

  say(paint(BOLD, "5. The limit ends, and personal serves again"));
  while (simulator.plan("personal").used(FIVE_HOURS) > 0 && performance.now() < 15_000) {
    await pause(200);
  }
  // The backend names the reset in whole seconds, and nobody is asked before it.
  await pause(1_100);
  for (const session of ["review", "hotfix", "ideas"]) await ask(session);

  const served = PLANS.map(({ name }) => `${name} ${simulator.plan(name).served}`).join(", ");
  say(`\n${paint(BOLD, "Done.")} Answers by account: ${served}. Errors shown to the person: 0.`);
} finally {
  await hooks?.dispose();
  await simulator.close();
  Deno.removeSync(folder, { recursive: true });
}
