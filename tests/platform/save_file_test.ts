import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemFiles } from "../../src/platform/files.ts";
import { saveFile } from "../../src/platform/save_file.ts";

const REASONS = [
  ["ENOSPC", /cannot be written \(ENOSPC\)\. Free some space and try again; the old file is whole/],
  ["EACCES", /cannot be written \(EACCES\)\. Make its folder writable: chmod 700/],
  [
    "EROFS",
    /cannot be written \(EROFS\)\. Its file system is mounted read-only: mount it writable .*OPENCODE_MULTI_AUTH_STORE_DIR/,
  ],
  ["EIO", /cannot be written \(EIO\)\. Check the disk and the folder/],
] as const;

for (const [code, text] of REASONS) {
  Deno.test(`a file that cannot be saved (${code}) is one line with the fix, the old one is whole`, () => {
    const folder = mkdtempSync(join(tmpdir(), "save-"));
    try {
      const path = join(folder, "settings.json");
      writeFileSync(path, "old");
      const files = {
        ...systemFiles,
        fsync: () => {
          throw Object.assign(new Error("no"), { code });
        },
      };
      assert.throws(() => saveFile(path, "new", { files }), (error) => {
        assert.equal((error as Error).name, "Failure");
        assert.match(String(error), text);
        return true;
      });
      assert.equal(readFileSync(path, "utf8"), "old");
      assert.deepEqual(readdirSync(folder), ["settings.json"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
