/**
 * What the runtime itself offers, without an import that costs time.
 *
 * OpenCode starts a fresh Bun for every command. There, importing
 * `node:process` costs 12 ms and `node:crypto` 7 ms (measured in Bun 1.3.14,
 * with an import that does nothing else), more than the rest of the plugin.
 * The process is a global in all three runtimes, and other modules are fetched
 * when they are used for the first time.
 *
 * @module
 */
import type NodeProcess from "node:process";

type Process = typeof NodeProcess;

/** The running process. */
export const runtime: Process = (globalThis as unknown as { process: Process }).process;

/** The modules that are fetched late. */
interface LateModules {
  "node:crypto": typeof import("node:crypto");
  "node:timers": typeof import("node:timers");
  "node:fs": typeof import("node:fs");
  "node:fs/promises": typeof import("node:fs/promises");
  "node:os": typeof import("node:os");
  "node:http": typeof import("node:http");
  "node:child_process": typeof import("node:child_process");
  "node:util": typeof import("node:util");
  "node:buffer": typeof import("node:buffer");
}

/**
 * A module of the runtime, at the moment when it is needed. The runtime keeps
 * it, so a second call costs nothing.
 */
export function builtin<Name extends keyof LateModules>(name: Name): LateModules[Name] {
  return runtime.getBuiltinModule(name) as LateModules[Name];
}
