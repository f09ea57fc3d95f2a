import { runtime } from "./runtime.ts";

/** Signals that end a process unless it listens. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs `work` when the process ends: in order, or by a signal.
 *
 * A listener takes a signal's default effect away. Where ours is the only one,
 * it sends the signal once more without itself, so that the process ends as it
 * would have without us; where others listen, its end is theirs.
 *
 * @param work Synchronous; it may run more than once.
 * @returns Stops listening.
 */
export function atEnd(work: () => void): () => void {
  const stops = SIGNALS.map((signal) => {
    const onSignal = () => {
      work();
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
  runtime.once("exit", work);
  return () => {
    runtime.off("exit", work);
    for (const stop of stops) stop();
  };
}
