/**
 * Real programs as children of a test: a closed standard input, an environment of their own, and a hard
 * time limit. Whatever still runs when the tests are stopped is killed.
 *
 * @module
 */

/** How a program is started. */
export interface ChildOptions {
  /** Its whole environment; nothing of the test's own gets in. */
  readonly env: Readonly<Record<string, string>>;
  /** Its working folder. */
  readonly cwd: string;
  /** Milliseconds after which it is killed (default 60,000). */
  readonly limitMs?: number;
}

/** What a program left behind. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs. */
export interface Child extends AsyncDisposable {
  /** Resolves when the program has ended; rejects when its time limit killed it. */
  readonly outcome: Promise<Outcome>;
  /**
   * Waits until what it has written to standard output or standard error matches.
   *
   * @throws {Error} when it ends before that; the message holds what it wrote.
   */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Kills it at once, as a crash or an impatient person does. */
  kill(): void;
  /** Asks it to end, and kills it where that takes more than two seconds. */
  stop(): Promise<Outcome>;
}

const running = new Set<Deno.ChildProcess>();

function kill(process: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    process.kill(signal);
  } catch {
    // It has ended by itself in the meantime.
  }
}

/** Starts a program. */
export function start(command: string, args: readonly string[], options: ChildOptions): Child {
  const limitMs = options.limitMs ?? 180_000;
  const process = new Deno.Command(command, {
    args: [...args],
    cwd: options.cwd,
    clearEnv: true,
    env: { ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  running.add(process);

  const heard = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  const listen = async (
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    to: keyof typeof heard,
  ) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      heard[to] += text;
      for (const listener of listeners) listener();
    }
  };
  const all = Promise.all([
    listen(process.stdout, "stdout"),
    listen(process.stderr, "stderr"),
    process.status,
  ]);

  const name = `${command.split("/").at(-1)} ${args.slice(0, 2).join(" ")}`;
  const transcript = () => `${heard.stdout}\n${heard.stderr}`.trim().slice(-4000);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill(process, "SIGKILL");
  }, limitMs);
  const outcome = all.then(([, , status]) => {
    if (late) throw new Error(`${name} did not end within ${limitMs} ms.\n${transcript()}`);
    return { code: status.code, ...heard };
  }).finally(() => {
    clearTimeout(timer);
    running.delete(process);
    for (const listener of listeners) listener();
  });
  // Who does not await it does not want to know; `said` and `stop` report for themselves.
  outcome.catch(() => {});

  const stop = async () => {
    kill(process, "SIGTERM");
    const impatient = setTimeout(() => kill(process, "SIGKILL"), 2000);
    try {
      return await outcome;
    } finally {
      clearTimeout(impatient);
    }
  };
  return {
    outcome,
    kill: () => kill(process, "SIGKILL"),
    stop,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(heard.stdout) ?? pattern.exec(heard.stderr);
          if (found === null && running.has(process)) return;
          listeners.delete(look);
          if (found !== null) resolve(found);
          else reject(new Error(`${name} ended without saying ${pattern}.\n${transcript()}`));
        };
        listeners.add(look);
        look();
      }),
    [Symbol.asyncDispose]: async () => {
      if (running.has(process)) await stop().catch(() => {});
    },
  };
}

// A stopped test run must not leave servers behind; the signal then does what it always does.
globalThis.addEventListener("unload", () => {
  for (const process of running) kill(process, "SIGKILL");
});
Deno.addSignalListener("SIGTERM", function end() {
  for (const process of running) kill(process, "SIGKILL");
  Deno.removeSignalListener("SIGTERM", end);
  Deno.kill(Deno.pid, "SIGTERM");
});
