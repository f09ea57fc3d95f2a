/**
 * The real OpenCode in a sandbox, against the simulated backend.
 *
 * @module
 */
import { toolPaths } from "../../scripts/tools.ts";
import { type Child, type Outcome, start } from "./child.ts";
import type { Sandbox } from "./sandbox.ts";

/** Options of a turn. */
export interface TurnOptions {
  /** The model (default `openai/gpt-5.5`). */
  readonly model?: string;
  /** Variables on top of the sandbox's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds the program may take (default 60,000). */
  readonly limitMs?: number;
}

const MODEL = "openai/gpt-5.5";

/** Runs `opencode <args>` to its end. */
export function openCode(
  sandbox: Sandbox,
  args: readonly string[],
  options: TurnOptions = {},
): Promise<Outcome> {
  return startOpenCode(sandbox, args, options).outcome;
}

/** Runs one prompt in a new session, as `opencode run` does; it ends with code 0 after the answer. */
export function run(
  sandbox: Sandbox,
  prompt: string,
  options: TurnOptions = {},
): Promise<Outcome> {
  return openCode(sandbox, ["run", prompt, "-m", options.model ?? MODEL], options);
}

function startOpenCode(sandbox: Sandbox, args: readonly string[], options: TurnOptions): Child {
  return start(toolPaths().opencode, args, {
    env: { ...sandbox.env, ...options.env },
    cwd: sandbox.project,
    ...(options.limitMs === undefined ? {} : { limitMs: options.limitMs }),
  });
}

/** A running `opencode serve`. */
export interface Server extends AsyncDisposable {
  /** Where it listens. */
  readonly origin: string;
  /** Starts a session and gives its id. */
  session(): Promise<string>;
  /** Sends a message and gives the text of the answer. */
  message(session: string, text: string): Promise<string>;
  /** Ends it and gives what it printed. */
  stop(): Promise<Outcome>;
}

/**
 * Starts `opencode serve` on a free port.
 *
 * @throws {Error} when it ends before it listens.
 */
export async function serve(sandbox: Sandbox, options: TurnOptions = {}): Promise<Server> {
  const child = startOpenCode(sandbox, ["serve", "--port", "0", "--hostname", "127.0.0.1"], {
    limitMs: 120_000,
    ...options,
  });
  const origin = (await child.said(/http:\/\/127\.0\.0\.1:\d+/))[0];
  const [providerID, modelID] = (options.model ?? MODEL).split("/");
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const response = await fetch(origin + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(options.limitMs ?? 180_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`OpenCode answered ${path} with ${response.status}: ${text}`);
    return JSON.parse(text);
  };
  return {
    origin,
    session: async () => (await post("/session", {}) as { id: string }).id,
    message: async (session, text) => {
      const answer = await post(`/session/${session}/message`, {
        model: { providerID, modelID },
        parts: [{ type: "text", text }],
      }) as { parts: { type: string; text?: string }[]; info: { error?: unknown } };
      if (answer.info.error !== undefined) {
        throw new Error(`The turn failed: ${JSON.stringify(answer.info.error)}`);
      }
      return answer.parts.filter((part) => part.type === "text").map((part) => part.text).join("");
    },
    stop: () => child.stop(),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
