import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { LogLines, MAX_LINES } from "../../src/dashboard/log_lines.ts";
import { withStage } from "./stage.ts";

function withTail(test: (tail: LogLines, path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "log-tail-"));
  const path = join(folder, "a.log");
  try {
    test(new LogLines(path), path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const line = (text: string, level = "info") => `2026-11-23T18:00:00.000Z [${level}] ${text}\n`;
const texts = (lines: LogLines["lines"]) => lines.map(({ text }) => text);

Deno.test("each look brings what was written since the last one", () =>
  withTail((tail, path) => {
    assert.deepEqual(tail.look(), []);
    appendFileSync(path, line("one") + line("two", "error"));
    assert.deepEqual(tail.look().map(({ at, level, text }) => [at, level, text]), [
      [Date.UTC(2026, 10, 23, 18), "info", "one"],
      [Date.UTC(2026, 10, 23, 18), "error", "two"],
    ]);
    assert.deepEqual(tail.look(), []);
    appendFileSync(path, line("three"));
    assert.deepEqual(texts(tail.look()), ["three"]);
    assert.deepEqual(texts(tail.lines), ["one", "two", "three"]);
  }));

Deno.test("a line that is not finished is read when it is, a character that is not whole too", () =>
  withTail((tail, path) => {
    const bytes = new TextEncoder().encode(line("über"));
    const cut = bytes.indexOf(0xc3) + 1;
    writeFileSync(path, bytes.subarray(0, cut));
    assert.deepEqual(tail.look(), []);
    appendFileSync(path, bytes.subarray(cut));
    assert.deepEqual(texts(tail.look()), ["über"]);
  }));

Deno.test("after a rotation the new file's lines follow", () =>
  withTail((tail, path) => {
    appendFileSync(path, line("old"));
    tail.look();
    renameSync(path, `${path}.1`);
    assert.deepEqual(tail.look(), []);
    appendFileSync(path, line("new"));
    assert.deepEqual(texts(tail.look()), ["new"]);
    assert.deepEqual(texts(tail.lines), ["old", "new"]);
    writeFileSync(path, line("x"));
    assert.deepEqual(texts(tail.look()), ["x"]);
  }));

Deno.test("of a long file its end is shown, without half a line", () =>
  withTail((tail, path) => {
    for (let n = 0; n < 10; n++) {
      appendFileSync(
        path,
        Array.from({ length: 1_000 }, (_, at) => line(`${n * 1_000 + at} ${"x".repeat(60)}`)).join(
          "",
        ),
      );
    }
    tail.look();
    assert.equal(tail.lines.length, MAX_LINES);
    assert.ok(tail.lines.every(({ at }) => at !== null));
    assert.match(tail.lines.at(-1)?.text ?? "", /^9999 /);
    appendFileSync(path, `${"y".repeat(600_000)}\n`);
    assert.equal(tail.look().length, 0);
    appendFileSync(path, line("after"));
    assert.deepEqual(texts(tail.look()), ["after"]);
  }));

Deno.test("what is not in our form is shown as it is, and tokens in it are not", () =>
  withTail((tail, path) => {
    appendFileSync(path, "a stray line with rt_abcdefghijklmnop\n\n");
    assert.deepEqual(tail.look().map(({ at, level, text }) => [at, level, text]), [
      [null, "info", "a stray line with [token]"],
    ]);
  }));

Deno.test("a log in a place that cannot be looked at brings nothing, from the start", () =>
  withTail((_, path) => {
    writeFileSync(path, "a file where a folder should be");
    const tail = new LogLines(join(path, "soft.log"));
    assert.deepEqual(tail.look(), []);
  }));

Deno.test("a page that is loaded has all lines of the log up to its position", () =>
  withStage(async (stage) => {
    const visitor = await stage.visit();
    mkdirSync(dirname(stage.paths.log), { recursive: true });
    appendFileSync(stage.paths.log, "2026-11-23T18:00:00.000Z [warn] nothing else has changed\n");
    assert.match(await (await visitor.get("/")).text(), /nothing else has changed/);
  }));
