/**
 * Programs that show notifications, as stubs that write down what they got, and an ntfy server.
 *
 * @module
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Notification } from "../../src/notify/notification.ts";

/** What a stub was started with. */
export interface Call {
  readonly args: readonly string[];
  readonly input: string;
  readonly env: string;
}

/** A folder of stubs. */
export interface Stubs {
  readonly folder: string;
  /** How `program` was called, in order. */
  calls(program: string): Call[];
  /** The same, once there are so many. */
  called(program: string, times: number): Promise<Call[]>;
}

/** Runs a test with stubs of these programs; each ends with `code`. */
export async function withStubs(
  programs: readonly string[],
  test: (stubs: Stubs) => Promise<void>,
  code = 0,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "notify-stubs-"));
  const record = (program: string) => join(folder, `${program}.calls`);
  for (const program of programs) {
    const path = join(folder, program);
    // One write for each call, so that calls at the same time stay whole.
    writeFileSync(
      path,
      `#!/bin/sh
input=$(if [ -p /dev/stdin ]; then cat; fi)
{ printf '%s\\036' "$@"; printf '\\035%s\\035' "$input"; env; printf '\\034'; } > '${folder}/'$$
cat '${folder}/'$$ >> '${record(program)}'
[ ${code} = 0 ] || echo 'no desktop is here' >&2
exit ${code}
`,
    );
    chmodSync(path, 0o755);
  }
  const calls = (program: string): Call[] => {
    if (!existsSync(record(program))) return [];
    return readFileSync(record(program), "utf8").split("\x1c").slice(0, -1).map((call) => {
      const [args = "", input = "", env = ""] = call.split("\x1d");
      return { args: args.split("\x1e").slice(0, -1), input, env };
    });
  };
  try {
    await test({
      folder,
      calls,
      async called(program, times) {
        const end = Date.now() + 10_000;
        while (calls(program).length < times && Date.now() < end) await setTimeout(10);
        return calls(program);
      },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What an ntfy server received. */
export interface Published {
  readonly path: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
  /** When it came, as `performance.now()` counts. */
  readonly at: number;
}

/** An ntfy server on the loopback address. */
export interface NtfyServer extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly Published[];
  /** What has arrived, once there is so much of it. */
  arrived(count: number): Promise<readonly Published[]>;
}

/** Starts one. `answer` decides what the n-th message (from 0) gets; "never" is no answer at all. */
export function startNtfy(
  answer: (index: number) => number | "never" = () => 200,
): NtfyServer {
  const received: Published[] = [];
  const waiting = new Set<() => void>();
  const end = new AbortController();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {}, signal: end.signal },
    async (request) => {
      const index = received.length;
      const status = answer(index);
      received.push({
        path: new URL(request.url).pathname,
        method: request.method,
        headers: request.headers,
        body: await request.text(),
        at: performance.now(),
      });
      for (const look of waiting) look();
      if (status === "never") {
        await new Promise((resolve) => end.signal.addEventListener("abort", resolve));
      }
      return new Response("{}", { status: status === "never" ? 200 : status });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/my-topic`,
    received,
    arrived: (count) =>
      new Promise((resolve, reject) => {
        const timer = globalThis.setTimeout(
          () => reject(new Error(`${received.length} of ${count} messages have arrived`)),
          20_000,
        );
        const look = () => {
          if (received.length < count) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(received);
        };
        waiting.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      end.abort();
      await server.finished;
    },
  };
}

/** A title with everything in it that a shell, AppleScript, PowerShell, markup or a header might take for itself. */
export const NASTY =
  `-x "quoted" 'single' \`id\` $(touch /tmp/pwned) \${HOME} %s \\n \\\\ <b>&amp; ; | & end tell" & do shell script "id" {0} ]]> 🎉 Ünï 中文`;

/** News whose every text is {@linkcode NASTY}. */
export const NEWS: Notification = {
  topic: "idle",
  title: NASTY,
  body: `Session idle: ${NASTY}\n${NASTY}`,
  priority: 3,
  tags: ["white_check_mark"],
  session: "ses_1",
};
