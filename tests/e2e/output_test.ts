/**
 * The command line's output where it goes to a file or a pipe, under each runtime.
 *
 * @module
 */
import assert from "node:assert/strict";
import { inRepository } from "../../scripts/repository.ts";
import { toolPaths } from "../../scripts/tools.ts";
import { makeSandbox } from "./sandbox.ts";

const NOWHERE = { issuerUrl: "http://127.0.0.1:9", backendUrl: "http://127.0.0.1:9/backend-api" };

/** Runs a shell's line in which `$CLI` is the program. */
async function shell(
  runtime: "bun" | "node",
  line: string,
): Promise<{ code: number; err: string }> {
  await using sandbox = makeSandbox(NOWHERE);
  const program = `"${toolPaths()[runtime]}" "${inRepository("npm", "cli.js")}"`;
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", line.replace("$CLI", program)],
    env: sandbox.env,
    clearEnv: true,
    cwd: sandbox.project,
    stdout: "null",
  }).output();
  return { code, err: new TextDecoder().decode(stderr) };
}

// Bun 1.3 tells a program nothing of it.
Deno.test({
  name: "output to a full disk is one line and ends with 1",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const { code, err } = await shell("node", "$CLI list > /dev/full");
    assert.equal(code, 1);
    assert.match(err, /^Error: The output could not be written \([^\n]*ENOSPC[^\n]*\)\.\n$/);
  },
});

for (const runtime of ["node", "bun"] as const) {
  Deno.test(`${runtime}: a reader of the pipe that leaves early is no error`, async () => {
    const { err } = await shell(runtime, "$CLI help | true");
    assert.equal(err, "");
  });
}
