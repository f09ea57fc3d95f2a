import { join } from "node:path";
import { inRepository } from "../repository.ts";
import { type Figure, median, output, quantile } from "./measure.ts";
import type { Stage } from "./stage.ts";

/** What one measurement of requests is about. */
export interface RequestTask {
  readonly bytes: number;
  readonly rounds: number;
  /** Requests under way at the same time (default 1). */
  readonly atOnce?: number;
  /** Conversations that they belong to (default: one for each of those at once). */
  readonly sessions?: number;
  /** Whether the caller takes a stream, as OpenCode does (default true). */
  readonly stream?: boolean;
  /** Entry file of another plugin to be measured beside ours. */
  readonly peer?: string;
}

/** Milliseconds of every request, to its first byte and to its end. */
export type Times = readonly { readonly first: number; readonly total: number }[];

/** What a worker reports. */
export interface Report {
  readonly times: {
    readonly bare: Times;
    readonly plugin: Times;
    readonly peer?: Times;
  };
  /** Resident memory in bytes, at regular distances. */
  readonly memory: readonly number[];
}

/** The arguments with which Bun runs the worker. */
export function workerArguments(
  stage: Stage,
  task: RequestTask & { only?: string; mark?: boolean; memoryEvery?: number },
): string[] {
  return [
    inRepository("scripts", "bench", "requests_worker.js"),
    JSON.stringify({
      plugin: inRepository("npm", "plugin.js"),
      backend: stage.backendUrl,
      token: stage.token,
      workspace: stage.workspace,
      atOnce: 1,
      sessions: task.atOnce ?? 1,
      stream: true,
      ...task,
    }),
  ];
}

/** Measures requests, taking turns, in a process of their own. */
export async function measureRequests(
  bun: string,
  stage: Stage,
  task: RequestTask,
): Promise<Report> {
  const report = await output(bun, workerArguments(stage, task), stage.env);
  return JSON.parse(report.split("\n").at(-1) ?? "") as Report;
}

/** What a way adds to a bare `fetch`: the difference of the same share of both, in milliseconds. */
export function added(
  report: Report,
  share: number,
  part: "first" | "total" = "total",
  way: "plugin" | "peer" = "plugin",
): number {
  const of = (times: Times | undefined) => quantile((times ?? []).map((one) => one[part]), share);
  return of(report.times[way]) - of(report.times.bare);
}

/**
 * What the plugin adds, as the median over neighbouring pairs: a machine that is busy for a while
 * slows both of a pair.
 */
export function addedByPairs({ times: { bare, plugin } }: Report): number {
  return median(plugin.map((one, at) => one.total - (bare[at]?.total ?? Number.NaN)));
}

/** A time that the plugin adds, as a line of the table. */
export function addedLine(what: string, value: number, budget?: number): Figure {
  return { what, value, unit: "ms", noisy: true, ...(budget === undefined ? {} : { budget }) };
}

/** The path of a file of the peer, once it is there. */
export function peerFile(folder: string): string {
  return join(folder, "node_modules", "opencode-openai-codex-auth", "dist", "index.js");
}
