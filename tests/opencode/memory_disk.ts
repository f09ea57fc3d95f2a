import type { Disk, FileText } from "../../src/opencode/disk.ts";

/** A disk in memory, which counts its writes and can refuse them. */
export class MemoryDisk implements Disk {
  readonly files = new Map<string, FileText>();
  /** Paths in the order in which they were written. */
  readonly writes: string[] = [];
  /** Called before each write; throws to refuse it. */
  refuse: (path: string) => void = () => {};

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(files)) this.files.set(path, { text, mode: 0o644 });
  }

  text(path: string): string | undefined {
    return this.files.get(path)?.text;
  }

  read(path: string): FileText | undefined {
    return this.files.get(path);
  }

  write(path: string, text: string, mode: number): void {
    this.refuse(path);
    this.writes.push(path);
    this.files.set(path, { text, mode });
  }

  exists(path: string): boolean {
    return this.files.has(path) || [...this.files.keys()].some((key) => key.startsWith(`${path}/`));
  }

  follow(path: string): string {
    return path;
  }

  folders(path: string): readonly string[] {
    const inside = [...this.files.keys()].filter((key) => key.startsWith(`${path}/`))
      .map((key) => key.slice(path.length + 1).split("/")).filter((parts) => parts.length > 1);
    return [...new Set(inside.map((parts) => parts[0] ?? ""))];
  }

  remove(path: string): void {
    this.refuse(path);
    for (const key of [...this.files.keys()]) {
      if (key === path || key.startsWith(`${path}/`)) this.files.delete(key);
    }
  }
}

/** The error that the system throws for `code`. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: refused`), { code });
}
