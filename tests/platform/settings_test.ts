import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../src/platform/failure.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import {
  listSettings,
  readSettings,
  STANDARD_SETTINGS,
  writeSetting,
} from "../../src/platform/settings.ts";

function inStore(use: (paths: ReturnType<typeof resolvePaths>) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "settings-"));
  try {
    use(resolvePaths({ OPENCODE_MULTI_AUTH_STORE_DIR: join(folder, "store"), HOME: folder }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

Deno.test("without a file the standard values are in force, and reading makes no file", () => {
  inStore((paths) => {
    assert.deepEqual(readSettings(paths, {}), STANDARD_SETTINGS);
    assert.equal(existsSync(paths.folder), false);
  });
});

Deno.test("the environment wins over the file, the file over the standard", () => {
  inStore((paths) => {
    writeSetting(paths, "stall", "10s");
    writeSetting(paths, "strategy", "drain");
    assert.equal(readSettings(paths, {}).stall, 10_000);
    const env = { OPENCODE_MULTI_AUTH_STALL_MS: "700", OPENCODE_MULTI_AUTH_REFRESH_GAP_MS: "0" };
    const settings = readSettings(paths, env);
    assert.deepEqual([settings.stall, settings.refreshGap, settings.strategy], [700, 0, "drain"]);
    const sources = Object.fromEntries(
      listSettings(paths, env).map((one) => [one.name, one.source]),
    );
    assert.equal(sources["stall"], "environment");
    assert.equal(sources["strategy"], "file");
    assert.equal(sources["rotate"], "default");
    assert.equal(statSync(paths.settings).mode & 0o777, 0o600);
  });
});

Deno.test("keys that we do not know stay in the file", () => {
  inStore((paths) => {
    writeSetting(paths, "rotate", "request");
    writeFileSync(paths.settings, JSON.stringify({ rotate: "request", later: { x: 1 } }));
    writeSetting(paths, "maxWait", "2m");
    assert.deepEqual(JSON.parse(readFileSync(paths.settings, "utf8")), {
      rotate: "request",
      later: { x: 1 },
      maxWait: 120_000,
    });
    writeSetting(paths, "rotate", undefined);
    assert.equal(readSettings(paths, {}).rotate, "session");
  });
});

Deno.test("a value that cannot be is refused in one line and changes nothing", () => {
  inStore((paths) => {
    for (
      const [name, text] of [
        ["strategy", "fastest"],
        ["softThreshold", "101"],
        ["stall", "soon"],
        ["stall", "-5"],
        ["maxWait", "900d"],
        ["weights", "[1]"],
        ["weights", "{broken"],
        ["weights", '{"a":-1}'],
      ] as const
    ) {
      assert.throws(() => writeSetting(paths, name, text), (error) => {
        assert.ok(error instanceof Failure);
        assert.match(error.message, new RegExp(`"${name}"`));
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    }
    assert.equal(existsSync(paths.settings), false);
  });
});

Deno.test("a broken file is named and left alone", () => {
  inStore((paths) => {
    writeSetting(paths, "rotate", "request");
    for (const broken of ["{", "[]", "null", '{"stall": "x"}']) {
      writeFileSync(paths.settings, broken);
      assert.throws(() => readSettings(paths, {}), (error) => {
        assert.ok(error instanceof Failure);
        assert.ok(error.message.includes(paths.settings), error.message);
        return true;
      });
      assert.equal(readFileSync(paths.settings, "utf8"), broken);
    }
  });
});
