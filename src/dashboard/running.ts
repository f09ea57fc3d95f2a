/**
 * How the owner's other processes find a dashboard that runs, as a service too: a file in the store
 * folder that only the owner can read. Its key signs one-time links, and proves in both directions who
 * listens on the port.
 *
 * @module
 */
import { join } from "node:path";
import { errorCode } from "../platform/failure.ts";
import { readTextIfExists, systemFiles } from "../platform/files.ts";
import { asNumber, asObject, asText } from "../platform/json.ts";
import type { Paths } from "../platform/paths.ts";
import { runtime } from "../platform/runtime.ts";
import { saveFile } from "../platform/save_file.ts";
import { newLinkToken, newSecret, proofOf, sameSecret } from "./session.ts";

/** A dashboard that runs, or has run. */
export interface Running {
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  /** Signs its links. Secret. */
  readonly key: string;
}

/** How long a dashboard may take to prove itself, in milliseconds. */
const PROOF_MS = 2_000;

function fileOf({ folder }: Paths, port: number): string {
  return join(folder, `dashboard-${port}.json`);
}

/** Says that this process serves a port. Returns what takes that back. */
export function announce(paths: Paths, running: Omit<Running, "pid">): () => void {
  const file = fileOf(paths, running.port);
  saveFile(file, `${JSON.stringify({ pid: runtime.pid, ...running })}\n`);
  return () => {
    // Another process may have taken the port over meanwhile.
    if (readRunning(paths, running.port)?.key !== running.key) return;
    try {
      systemFiles.unlink(file);
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
    }
  };
}

/** What a dashboard has announced for a port; it may have ended without a word. */
export function readRunning(paths: Paths, port: number): Running | undefined {
  let json: unknown;
  try {
    json = JSON.parse(readTextIfExists(fileOf(paths, port)) ?? "");
  } catch {
    return undefined;
  }
  const object = asObject(json);
  const pid = asNumber(object?.["pid"]);
  const host = asText(object?.["host"]);
  const key = asText(object?.["key"]);
  if (pid === undefined || host === undefined || key === undefined || key.length < 40) {
    return undefined;
  }
  return { pid, host, port, key };
}

/** Whether that dashboard is the one that listens there now: it signs a number that nobody knew before. */
export async function answers(running: Running, request: typeof fetch): Promise<boolean> {
  const challenge = newSecret();
  try {
    const response = await request(`${originOf(running)}/proof/${challenge}`, {
      signal: AbortSignal.timeout(PROOF_MS),
      redirect: "error",
    });
    const text = await response.text();
    return response.ok && sameSecret(text, proofOf(running.key, challenge));
  } catch {
    return false;
  }
}

/** A fresh one-time link. */
export function linkOf(running: Omit<Running, "pid">, now: number): string {
  return `${originOf(running)}/open/${newLinkToken(running.key, now)}`;
}

/** `http://127.0.0.1:3434` */
export function originOf({ host, port }: Pick<Running, "host" | "port">): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
