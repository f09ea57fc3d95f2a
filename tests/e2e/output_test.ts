/**
 * The command line's output where it goes to a file or a pipe, under each runtime.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { inRepository } from "../../scripts/repository.ts";
import { toolPaths } from "../../scripts/tools.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import older from "../fixtures/store/v1.json" with { type: "json" };

const NOWHERE = { issuerUrl: "http://127.0.0.1:9", backendUrl: "http://127.0.0.1:9/backend-api" };

/** What runs the program, as words of a shell. */
const RUNTIMES = {
  node: () => `"${toolPaths().node}"`,
  bun: () => `"${toolPaths().bun}"`,
  deno: () => `"${Deno.execPath()}" run -A`,
} as const;

/** Runs a shell's line in which `$CLI` is the program. */
async function shell(
  runtime: keyof typeof RUNTIMES,
  line: string,
  prepare: (sandbox: Sandbox) => void = () => {},
): Promise<{ code: number; out: string; err: string }> {
  await using sandbox = makeSandbox(NOWHERE);
  prepare(sandbox);
  const program = `${RUNTIMES[runtime]()} "${inRepository("npm", "cli.js")}"`;
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", line.replaceAll("$CLI", program)],
    env: sandbox.env,
    clearEnv: true,
    cwd: sandbox.project,
  }).output();
  const text = (bytes: Uint8Array<ArrayBuffer>) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

/** So many accounts that what is said of them is larger than a pipe's buffer. */
function many({ store }: Sandbox): void {
  const { personal } = older.accounts;
  const accounts = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, at) => [`account-${at}`, {
      ...personal,
      alias: `account-${at}`,
      email: `${at}@personal.example`,
      accountId: `${personal.accountId}-${at}`,
      refreshToken: `${personal.refreshToken}-${at}`,
    }]),
  );
  Deno.mkdirSync(store, { recursive: true, mode: 0o700 });
  Deno.writeTextFileSync(join(store, "accounts.json"), JSON.stringify({ ...older, accounts }), {
    mode: 0o600,
  });
}

for (const runtime of ["node", "bun", "deno"] as const) {
  Deno.test({
    name: `${runtime}: output to a full disk is one line and ends with 1`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      const { code, err } = await shell(runtime, "$CLI list > /dev/full");
      assert.equal(code, 1);
      assert.match(err, /^Error: The output could not be written \([^\n]+\)\.\n$/);
    },
  });

  Deno.test({
    name: `${runtime}: a file that cannot take all of the output is said as well`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const line = `trap "" XFSZ; ulimit -f 1; $CLI list --json > out`;
      const { code, err } = await shell(runtime, line, many);
      assert.equal(code, 1);
      assert.match(err, /^Error: The output could not be written \([^\n]+\)\.$/m);
    },
  });

  Deno.test(`${runtime}: a reader of the pipe that leaves early is no error`, async () => {
    const { err } = await shell(runtime, "$CLI help | true");
    assert.equal(err, "");
  });

  Deno.test(`${runtime}: neither an empty HOME nor a folder that is gone stops it`, async () => {
    // Deno does not start in such a folder.
    const gone = runtime === "deno" ? "" : "mkdir gone && cd gone && rmdir ../gone && ";
    const { code, out } = await shell(runtime, `${gone}HOME= XDG_CONFIG_HOME= $CLI path`);
    assert.equal(code, 0);
    assert.match(out, /^\/.+\/\.config\/opencode-multi-auth\/accounts\.json\n$/);
  });

  Deno.test(`${runtime}: a slow reader of the pipe gets all of a thousand accounts`, async () => {
    const { out, err } = await shell(runtime, "$CLI status --json | (sleep 1; cat)", many);
    assert.equal(JSON.parse(out).accounts.length, 1_000);
    assert.equal(err, "");
  });

  Deno.test(`${runtime}: so it does where another program has left the pipe without waiting`, async () => {
    // Node does that to a pipe, and here it has no time to mend it.
    const script = `process.stdout.fd; process.kill(process.pid, "SIGKILL")`;
    const first = `"${toolPaths().node}" -e '${script}' 2> /dev/null`;
    const line = `{ ${first}; $CLI status --json; } 2> /dev/null | (sleep 1; cat)`;
    const { out, err } = await shell(runtime, line, many);
    assert.equal(JSON.parse(out).accounts.length, 1_000);
    assert.equal(err, "");
  });
}
