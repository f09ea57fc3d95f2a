import assert from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ensurePrivateFolder,
  followLink,
  readTextIfExists,
  RENAME_PATIENCE_MS,
  repairMode,
  systemFiles,
  writeFileAtomic,
} from "../../src/platform/files.ts";
import { failNth, faultyFiles } from "./faulty_files.ts";

function inFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "files-"));
  try {
    work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

Deno.test("writeFileAtomic replaces the whole content and leaves nothing else behind", () =>
  inFolder((folder) => {
    const path = join(folder, "a.json");
    for (const text of ["", "short", "ä".repeat(100_000), "€"]) {
      writeFileAtomic(path, text);
      assert.equal(readFileSync(path, "utf8"), text);
    }
    assert.deepEqual(readdirSync(folder), ["a.json"]);
    assert.equal(modeOf(path), "600");
  }));

Deno.test("writeFileAtomic gives the mode it is asked for, whatever the old file had", () =>
  inFolder((folder) => {
    const path = join(folder, "a");
    writeFileSync(path, "old", { mode: 0o666 });
    chmodSync(path, 0o666);
    writeFileAtomic(path, "new", { mode: 0o400 });
    assert.equal(modeOf(path), "400");
  }));

Deno.test("writeFileAtomic makes a missing folder for its owner alone", () =>
  inFolder((folder) => {
    writeFileAtomic(join(folder, "x", "y", "a"), "text");
    assert.equal(modeOf(join(folder, "x", "y")), "700");
  }));

Deno.test("writeFileAtomic syncs the content before the rename and the folder after it", () =>
  inFolder((folder) => {
    const faulty = faultyFiles();
    writeFileAtomic(join(folder, "a"), "text", { files: faulty.files });
    const order = faulty.calls.filter((call) => ["write", "fsync", "rename"].includes(call));
    assert.deepEqual(order, ["write", "fsync", "rename", "fsync"]);
  }));

Deno.test("writeFileAtomic follows a symlink and keeps it, also one to a missing file", () =>
  inFolder((folder) => {
    mkdirSync(join(folder, "real"));
    mkdirSync(join(folder, "links"));
    const link = join(folder, "links", "a");
    symlinkSync("../real/b", link);
    for (const text of ["first", "second"]) {
      writeFileAtomic(link, text);
      assert.ok(lstatSync(link).isSymbolicLink());
      assert.equal(readFileSync(join(folder, "real", "b"), "utf8"), text);
    }
    assert.deepEqual(readdirSync(join(folder, "links")), ["a"]);
    assert.deepEqual(readdirSync(join(folder, "real")), ["b"]);
  }));

Deno.test("followLink gives the system's error for a circle of links", () =>
  inFolder((folder) => {
    symlinkSync("b", join(folder, "a"));
    symlinkSync("a", join(folder, "b"));
    assert.throws(() => followLink(join(folder, "a")), /ELOOP|too many/i);
  }));

Deno.test("a write that fails at any call leaves the old file whole and no temporary file", () =>
  inFolder((folder) => {
    const path = join(folder, "a");
    let failures = 0;
    for (let n = 1; n < 20; n++) {
      writeFileSync(path, "old");
      const faulty = faultyFiles();
      faulty.fail = failNth(n, "ENOSPC");
      let failed = false;
      try {
        writeFileAtomic(path, "new text", { files: faulty.files });
      } catch (error) {
        failed = true;
        assert.match(String(error), /ENOSPC/);
      }
      if (!failed) break;
      failures++;
      const text = readFileSync(path, "utf8");
      // Once it is renamed only the folder's own sync can fail.
      const renamed = faulty.calls.includes("rename") && faulty.calls.at(-1) !== "unlink";
      assert.equal(text, renamed ? "new text" : "old");
      assert.deepEqual(readdirSync(folder), ["a"], `call ${n}`);
    }
    assert.ok(failures >= 5, `only ${failures} calls failed`);
  }));

Deno.test("a write that is taken in small pieces is written whole", () =>
  inFolder((folder) => {
    const path = join(folder, "a");
    const files = {
      ...systemFiles,
      write: (file: number, bytes: Uint8Array) => systemFiles.write(file, bytes.subarray(0, 3)),
    };
    writeFileAtomic(path, "0123456789", { files });
    assert.equal(readFileSync(path, "utf8"), "0123456789");
  }));

Deno.test("a folder that cannot be synced is no failure", () =>
  inFolder((folder) => {
    for (const code of ["EINVAL", "EISDIR", "EPERM"]) {
      const faulty = faultyFiles();
      faulty.fail = (call, path) => call === "open" && path === folder ? code : undefined;
      writeFileAtomic(join(folder, "a"), code, { files: faulty.files });
      assert.equal(readFileSync(join(folder, "a"), "utf8"), code);
    }
  }));

Deno.test("Windows EPERM / EBUSY on rename", () =>
  inFolder((folder) => {
    const path = join(folder, "a");
    for (const code of ["EPERM", "EBUSY", "EACCES"]) {
      const faulty = faultyFiles("win32");
      const pauses: number[] = [];
      let now = 0;
      let held = 500;
      faulty.fail = (call) => call === "rename" && held-- > 0 ? code : undefined;
      writeFileAtomic(path, code, {
        files: faulty.files,
        clock: { now: () => now },
        random: () => (pauses.length % 11) / 10.0001,
        pause: (ms) => {
          pauses.push(ms);
          now += ms;
        },
      });
      assert.equal(readFileSync(path, "utf8"), code);
      assert.equal(pauses.length, 500);
      assert.equal(Math.min(...pauses), 10);
      assert.equal(Math.max(...pauses), 100);
    }
  }));

Deno.test("a rename that Windows never allows is given up after a minute", () =>
  inFolder((folder) => {
    const faulty = faultyFiles("win32");
    let now = 0;
    faulty.fail = (call) => call === "rename" ? "EBUSY" : undefined;
    const write = () =>
      writeFileAtomic(join(folder, "a"), "text", {
        files: faulty.files,
        clock: { now: () => now },
        pause: (ms) => now += ms,
      });
    assert.throws(write, /EBUSY/);
    assert.ok(now >= RENAME_PATIENCE_MS && now <= RENAME_PATIENCE_MS + 100, `${now} ms`);
    assert.deepEqual(readdirSync(folder), []);
  }));

Deno.test("a rename that fails elsewhere, or for another reason, is not tried again", () =>
  inFolder((folder) => {
    for (const [platform, code] of [["linux", "EPERM"], ["win32", "ENOSPC"]] as const) {
      const faulty = faultyFiles(platform);
      faulty.fail = (call) => call === "rename" ? code : undefined;
      const write = () => writeFileAtomic(join(folder, "a"), "text", { files: faulty.files });
      assert.throws(write, new RegExp(code));
      assert.equal(faulty.calls.filter((call) => call === "rename").length, 1);
    }
  }));

Deno.test("ensurePrivateFolder makes folders 0700 and mends one that is open to others", () =>
  inFolder((folder) => {
    const path = join(folder, "a", "b");
    ensurePrivateFolder(path);
    assert.equal(modeOf(path), "700");
    chmodSync(path, 0o755);
    ensurePrivateFolder(path);
    assert.equal(modeOf(path), "700");
  }));

Deno.test("ensurePrivateFolder leaves somebody else's folder as it is", () =>
  inFolder((folder) => {
    chmodSync(folder, 0o755);
    const stat = (path: string) =>
      Object.assign(Object.create(systemFiles.stat(path)), { uid: 4711 });
    ensurePrivateFolder(folder, { ...systemFiles, stat });
    assert.equal(modeOf(folder), "755");
  }));

Deno.test("repairMode takes a file from others and leaves the owner's bits", () =>
  inFolder((folder) => {
    const path = join(folder, "a");
    writeFileSync(path, "");
    for (const [before, after] of [[0o644, "600"], [0o444, "400"], [0o777, "700"]] as const) {
      chmodSync(path, before);
      assert.equal(repairMode(path), true);
      assert.equal(modeOf(path), after);
    }
    assert.equal(repairMode(join(folder, "missing")), true);
    const faulty = faultyFiles();
    faulty.fail = (call) => call === "chmod" ? "EPERM" : undefined;
    chmodSync(path, 0o644);
    assert.equal(repairMode(path, faulty.files), false);
  }));

Deno.test("readTextIfExists tells a missing file from one that cannot be read", () =>
  inFolder((folder) => {
    assert.equal(readTextIfExists(join(folder, "a")), undefined);
    writeFileSync(join(folder, "a"), "\ufefftext");
    assert.equal(readTextIfExists(join(folder, "a")), "text");
    assert.throws(() => readTextIfExists(folder), /EISDIR|directory/);
  }));
