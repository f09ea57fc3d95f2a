import assert from "node:assert/strict";
import { missingParagraph, readArguments, readSummary } from "../../scripts/test.ts";
import { missingPrograms } from "../../scripts/system_programs.ts";
import { companyOf, testFiles } from "../../scripts/test_files.ts";

Deno.test("the counts come from deno test's last summary line", () => {
  const report = "ok | 9 passed | 9 failed (is printed by a test)\n x ... ok (1ms)\n\n" +
    "FAILED | 12 passed (3 steps) | 2 failed (1 step) | 1 ignored | 4 filtered out (20ms)\n\nerror: Test failed\n";
  assert.deepEqual(readSummary(report), { passed: 12, failed: 2, ignored: 1 });
  assert.deepEqual(readSummary("ok | 3 passed | 0 failed (5ms)\n"), {
    passed: 3,
    failed: 0,
    ignored: 0,
  });
  assert.deepEqual(readSummary("error: Type checking failed."), {
    passed: 0,
    failed: 0,
    ignored: 0,
  });
});

Deno.test("a test file that needs a missing program is named with the way to install it", () => {
  const files = ["tests/a_test.ts", "tests/store/shared_redis_test.ts"];
  assert.deepEqual(missingPrograms(files, () => true), []);
  assert.equal(
    missingParagraph(missingPrograms(files, () => false)),
    "did not run: tests/store/shared_redis_test.ts (Redis is not here); " +
      "install with: apt-get install redis-server",
  );
});

Deno.test("no test of the shells, the browser or systemd vanishes in silence where those are missing", () => {
  const missing = missingPrograms(testFiles(), () => false);
  const packages = missing.map(({ program }) => program.package).sort();
  assert.deepEqual(packages, ["chromium", "fish", "systemd", "tmux", "zsh"]);
});

Deno.test("paths choose files, words choose tests by name, options go through", () => {
  assert.deepEqual(readArguments(["tests/e2e", "hands over", "--fail-fast"]), {
    paths: ["tests/e2e"],
    options: ["--filter", "hands over", "--fail-fast"],
  });
});

Deno.test("test files are found, and those with real programs have less company", () => {
  const files = testFiles();
  assert.ok(files.includes("tests/house_test.ts"));
  assert.deepEqual(testFiles(["tests/house_test.ts"]), ["tests/house_test.ts"]);
  assert.ok(files.every((file) => /_test\.tsx?$/.test(file)));
  assert.equal(companyOf("tests/e2e/build_test.ts"), "two at a time");
  assert.equal(companyOf("tests/chaos/chaos_test.ts"), "alone");
  assert.equal(companyOf("tests/house_test.ts"), "all at once");
});
