import { runtime } from "./runtime.ts";

/** Signals that end a process unless it listens. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What runs when the process ends, of however many clients it has. */
const works = new Set<() => void>();
/** Stops listening, while anybody waits for the end. */
let stopListening: (() => void) | undefined;

/**
 * Runs `work` when the process ends: in order, or by a signal.
 *
 * A listener takes a signal's default effect away. Where ours is the only one,
 * it sends the signal once more without itself, so that the process ends as it
 * would have without us; where others listen, its end is theirs. All clients of
 * a process share one listener: two would each leave the end to the other.
 *
 * @param work Synchronous and must not throw; it may run more than once. Each caller brings a function of its own.
 * @returns Stops listening.
 */
export function atEnd(work: () => void): () => void {
  works.add(work);
  stopListening ??= listen();
  return () => {
    works.delete(work);
    if (works.size > 0) return;
    stopListening?.();
    stopListening = undefined;
  };
}

function listen(): () => void {
  const run = () => {
    for (const work of works) work();
  };
  const stops = SIGNALS.map((signal) => {
    const onSignal = () => {
      run();
      if (runtime.listenerCount(signal) > 1) return;
      runtime.off(signal, onSignal);
      runtime.kill(runtime.pid, signal);
    };
    try {
      runtime.on(signal, onSignal);
    } catch {
      // A signal that this system does not know ends nobody.
    }
    return () => void runtime.off(signal, onSignal);
  });
  runtime.once("exit", run);
  return () => {
    runtime.off("exit", run);
    for (const stop of stops) stop();
  };
}
