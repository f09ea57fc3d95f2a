import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lastEntries, LogTail, readLogLine } from "../../src/platform/log_reader.ts";

function withLog(test: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "multi-auth-log-"));
  try {
    test(join(folder, "codex-soft.log"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const line = (message: string, level = "info") =>
  `2026-11-23T18:00:00.000Z [${level}] ${message}\n`;
const messages = (entries: readonly { message: string }[]) => entries.map(({ message }) => message);

Deno.test("a line of the log is read, one of another form is kept as it is", () => {
  assert.deepEqual(readLogLine("2026-11-23T18:00:00.000Z [warn] a [info] b"), {
    at: "2026-11-23T18:00:00.000Z",
    level: "warn",
    message: "a [info] b",
  });
  assert.deepEqual(readLogLine("Error: x"), { at: undefined, level: "info", message: "Error: x" });
});

Deno.test("the last entries reach back into the file that was put aside, severe ones count alone", () =>
  withLog((path) => {
    assert.deepEqual(lastEntries(path, 5, "debug"), []);
    writeFileSync(`${path}.1`, line("one", "error") + line("two"));
    writeFileSync(path, line("three") + line("four", "warn"));
    assert.deepEqual(messages(lastEntries(path, 3, "debug")), ["two", "three", "four"]);
    assert.deepEqual(messages(lastEntries(path, 9, "warn")), ["one", "four"]);
    assert.deepEqual(messages(lastEntries(path, 1, "debug")), ["four"]);
    assert.deepEqual(lastEntries(path, 0, "debug"), []);
  }));

Deno.test("a follower sees what is added, whole lines only, and nothing twice", () =>
  withLog((path) => {
    writeFileSync(path, line("old"));
    const tail = new LogTail(path);
    assert.deepEqual(tail.next(), []);
    const text = new TextEncoder().encode(line("grün"));
    appendFileSync(path, text.subarray(0, text.length - 3));
    assert.deepEqual(tail.next(), []);
    appendFileSync(path, text.subarray(text.length - 3));
    assert.deepEqual(messages(tail.next()), ["grün"]);
    assert.deepEqual(tail.next(), []);
  }));

Deno.test("a follower survives rotation and loses no line at the seam", () =>
  withLog((path) => {
    writeFileSync(path, line("old"));
    const tail = new LogTail(path);
    appendFileSync(path, line("last of the old file"));
    renameSync(path, `${path}.1`);
    assert.deepEqual(tail.next(), []);
    writeFileSync(path, line("first of the new file"));
    assert.deepEqual(messages(tail.next()), ["last of the old file", "first of the new file"]);
    appendFileSync(path, line("next"));
    assert.deepEqual(messages(tail.next()), ["next"]);
  }));

Deno.test("a follower waits for a file that is not there yet, and begins anew in one that was emptied", () =>
  withLog((path) => {
    const tail = new LogTail(path);
    assert.deepEqual(tail.next(), []);
    writeFileSync(path, line("one") + line("two"));
    assert.deepEqual(messages(tail.next()), ["one", "two"]);
    writeFileSync(path, line("three"));
    assert.deepEqual(messages(tail.next()), ["three"]);
  }));
