import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemdUnit } from "../../src/service/systemd_unit.ts";

/** Lets the real systemd look at a unit: its text, and whether the program is where the text says. */
function verify(folder: string, unit: string): { code: number | null; said: string } {
  const file = join(folder, "codex-soft.service");
  writeFileSync(file, unit);
  const { status, stderr, stdout } = spawnSync("systemd-analyze", ["--user", "verify", file], {
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", HOME: folder, XDG_RUNTIME_DIR: folder, LC_ALL: "C" },
  });
  return { code: status, said: `${stdout}${stderr}`.trim() };
}

function withFolder(test: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "multi-auth-unit-"));
  try {
    test(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function program(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "#!/bin/sh\n");
  chmodSync(path, 0o755);
  return path;
}

const PLACES = ["plain", "a b", "100%h %% x", "$HOME/${x}", `it's "me"`, "back\\slash", "Zoë"];

for (const place of PLACES) {
  Deno.test(`systemd finds nothing wrong with a unit whose program lies in ${JSON.stringify(place)}`, () =>
    withFolder((folder) => {
      const path = program(join(folder, place, "opencode-multi-auth"));
      const unit = systemdUnit(
        [path, "web", "--host", "127.0.0.1", "--port", "3434"],
        join(folder, place, "service.env"),
      );
      assert.deepEqual(verify(folder, unit), { code: 0, said: "" });
    }));
}

Deno.test("systemd notices a unit that names another program than the one that is there", () =>
  withFolder((folder) => {
    const path = program(join(folder, "a b", "opencode-multi-auth"));
    const unit = systemdUnit([path, "web"], "/e").replace(`"${path}"`, path);
    assert.notEqual(verify(folder, unit).said, "");
  }));
