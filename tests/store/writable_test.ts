import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { checkWritable } from "../../src/store/writable.ts";
import { withSession } from "../cli/session.ts";

Deno.test("before a login the store folder, or the nearest folder above it, is proven writable", () =>
  withSession((session) => {
    const asked: string[] = [];
    const ask = (path: string) => void asked.push(path);
    checkWritable(session.folder, ask);
    mkdirSync(session.folder, { recursive: true });
    checkWritable(session.folder, ask);
    assert.deepEqual(asked, [session.home, session.folder]);
    checkWritable(session.folder);
    return Promise.resolve();
  }));

Deno.test("a folder that cannot be written is named with the reason and the way out", () => {
  const refuse = () => {
    throw Object.assign(new Error("no"), { code: "EROFS" });
  };
  assert.throws(
    () => checkWritable(join("/", "none", "store"), refuse),
    /^Failure: \/ cannot be written \(EROFS\); nothing was changed\. Its file system is mounted read-only/,
  );
});

Deno.test("a full disk is named before a login", () =>
  withSession((session) => {
    assert.throws(
      () => checkWritable(session.folder, undefined, () => 4_096),
      /^Failure: The disk of \S+ is full; nothing was changed\. Free some space/,
    );
    return Promise.resolve();
  }));
