import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";

/** How long a program that knows may take, in milliseconds. */
const PATIENCE_MS = 1_500;
/** State of a socket that listens, in `/proc/net/tcp`. */
const LISTEN = "0A";

/**
 * Which program listens on a port of this machine, as `node (pid 4321)`; undefined where that cannot
 * be told, as for another person's program. Never throws.
 */
export async function listenerOf(port: number): Promise<string | undefined> {
  try {
    return process.platform === "linux" ? fromProc(port) : await fromLsof(port);
  } catch {
    return undefined;
  }
}

function fromProc(port: number): string | undefined {
  const sockets = new Set(
    ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) => inodesIn(path, port))
      .map((inode) => `socket:[${inode}]`),
  );
  if (sockets.size === 0) return undefined;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const file of attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
      const target = attempt(() => readlinkSync(`/proc/${pid}/fd/${file}`));
      if (target === undefined || !sockets.has(target)) continue;
      const name = attempt(() => readFileSync(`/proc/${pid}/comm`, "utf8").trim());
      return `${name ?? "a program"} (pid ${pid})`;
    }
  }
  return undefined;
}

function inodesIn(path: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return (attempt(() => readFileSync(path, "utf8")) ?? "").split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(`:${hex}`) && state === LISTEN)
    .map((fields) => fields[9] ?? "");
}

function fromLsof(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const args = ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"];
    execFile("lsof", args, { timeout: PATIENCE_MS }, (_error, output) => {
      const pid = /^p(\d+)$/m.exec(output)?.[1];
      const name = /^c(.+)$/m.exec(output)?.[1];
      resolve(pid === undefined ? undefined : `${name ?? "a program"} (pid ${pid})`);
    });
  });
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
