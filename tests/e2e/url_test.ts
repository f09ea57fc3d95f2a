/**
 * The single file run by its address, as people do without installing anything, with the permissions
 * that the README lists and not one more.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { exists, inRepository, VERSION } from "../../scripts/repository.ts";
import { startSimulator } from "../simulator/simulator.ts";
import { type Child, start } from "./child.ts";
import { callbackOf, withCallbackPorts } from "./cli.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";

/** Serves `dist/cli.js`, as a release does. */
function serveCli(): { address: string; stop: () => Promise<void> } {
  const text = Deno.readTextFileSync(inRepository("dist", "cli.js"));
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response(text, { headers: { "content-type": "text/javascript" } }),
  );
  return {
    address: `http://127.0.0.1:${server.addr.port}/cli.js`,
    stop: () => server.shutdown(),
  };
}

/** The flags that the README gives for a command. */
function readmeFlags(command: string): string[] {
  const readme = Deno.readTextFileSync(inRepository("README.md")).replace(/\\\n\s*/g, "");
  const line = new RegExp(`^deno run (.*) \\$CLI ${command}\\b`, "m").exec(readme)?.[1];
  assert.ok(line !== undefined, `the README does not say how to run ${command} by its address`);
  return line.split(" ");
}

/**
 * Runs a command by its address in a sandbox, with the README's flags for it or for the command `as`;
 * `more` is written into them.
 */
function byAddress(
  sandbox: Sandbox,
  address: string,
  args: readonly string[],
  { more = (flag) => flag, as = args[0] ?? "" }: {
    more?: (flag: string) => string;
    as?: string;
  } = {},
): Child {
  const flags = readmeFlags(as).map((flag) =>
    more(
      flag.replaceAll("$STORE", sandbox.store).replaceAll("$CODEX", join(sandbox.home, ".codex")),
    )
  );
  const run = ["run", "--no-prompt", "--no-lock", "--no-config", "--quiet"];
  return start(Deno.execPath(), [...run, ...flags, address, ...args], {
    env: { ...sandbox.env, DENO_DIR: join(sandbox.folder, "deno") },
    cwd: sandbox.project,
  });
}

Deno.test("status and add run by an address, with the permissions of the README alone", async () => {
  const simulator = await startSimulator();
  await using sandbox = makeSandbox(simulator);
  const cli = serveCli();
  // The README makes the folder first: the program may not look above it.
  Deno.mkdirSync(sandbox.store, { mode: 0o700 });
  try {
    simulator.addPlan({ name: "personal", windows: [] });
    simulator.approveNext("personal");
    const issuer = new URL(simulator.issuerUrl).host;
    await withCallbackPorts(async () => {
      await using child = byAddress(
        sandbox,
        cli.address,
        ["add", "personal"],
        { more: (flag) => flag.replace("auth.openai.com", issuer) },
      );
      await callbackOf(child);
      const { code, stdout, stderr } = await child.outcome;
      assert.equal(code, 0, stderr);
      assert.match(stdout, /Account "personal" added successfully!/);
    });
    const status = await byAddress(sandbox, cli.address, ["status", "--json"]).outcome;
    assert.equal(status.code, 0, status.stderr);
    assert.equal(status.stderr, "");
    assert.deepEqual(
      JSON.parse(status.stdout).accounts.map(({ alias }: { alias: string }) => alias),
      ["personal"],
    );
  } finally {
    await cli.stop();
    await simulator.close();
  }
});

Deno.test("run by an address, the program knows that it was, and cannot leave its store", async () => {
  await using sandbox = makeSandbox({
    issuerUrl: "http://127.0.0.1:9",
    backendUrl: "http://127.0.0.1:9/backend-api",
  });
  const cli = serveCli();
  try {
    const run = (args: readonly string[], ...flags: readonly string[]) =>
      start(
        Deno.execPath(),
        ["run", "--no-prompt", "--no-lock", "--no-config", "-q", ...flags, cli.address, ...args],
        {
          env: { ...sandbox.env, DENO_DIR: join(sandbox.folder, "deno") },
          cwd: sandbox.project,
        },
      ).outcome;
    const about = await run(["version", "--json"], "--allow-env", "--allow-read");
    assert.equal(about.code, 0, about.stderr);
    const { version, installation, place } = JSON.parse(about.stdout);
    assert.deepEqual([version, installation, place], [VERSION, "url", cli.address]);
    const store = sandbox.store;
    const wrong = await run(
      ["install", "--yes"],
      ...["--allow-env", `--allow-read=${store}`, `--allow-write=${store}`],
    );
    assert.notEqual(wrong.code, 0);
    assert.deepEqual([...Deno.readDirSync(sandbox.project)], []);
  } finally {
    await cli.stop();
  }
});

Deno.test("doctor by an address calls nothing wrong that it is not permitted to look at", async () => {
  await using sandbox = makeSandbox({
    issuerUrl: "http://127.0.0.1:9",
    backendUrl: "http://127.0.0.1:9/backend-api",
  });
  Deno.mkdirSync(sandbox.store, { mode: 0o700 });
  const cli = serveCli();
  try {
    const { code, stdout, stderr } = await byAddress(
      sandbox,
      cli.address,
      ["doctor", "--json"],
      { as: "status" },
    ).outcome;
    assert.equal(code, 0, stderr + stdout);
    const checks: { name: string; state: string; text: string }[] = JSON.parse(stdout).checks;
    const unseen = checks.filter(({ state }) => state === "unseen");
    assert.equal(unseen.length, 1, stdout);
    for (const name of ["accounts file", "file modes", "program", "login ports", "dashboard"]) {
      assert.match(unseen[0]?.text ?? "", new RegExp(`\\b${name}\\b`));
      assert.ok(!checks.some((check) => check.name === name), `${name} was not looked at`);
    }
  } finally {
    await cli.stop();
  }
});

// The command comes with the dashboard.
if (exists(inRepository("src", "cli", "web.ts"))) {
  Deno.test("web runs by an address, with the permissions of the README alone", async () => {
    await using sandbox = makeSandbox({
      issuerUrl: "http://127.0.0.1:9",
      backendUrl: "http://127.0.0.1:9/backend-api",
    });
    Deno.mkdirSync(sandbox.store, { mode: 0o700 });
    const cli = serveCli();
    try {
      await using child = byAddress(sandbox, cli.address, ["web", "--port", "0"]);
      const [link] = await child.said(/http:\/\/127\.0\.0\.1:\d+\/\S+/);
      const opened = await fetch(link, { redirect: "manual" });
      await opened.body?.cancel();
      const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
      const page = await fetch(new URL("/", link), { headers: { cookie } });
      const text = await page.text();
      assert.equal(page.status, 200, text);
      assert.match(text, /^<!doctype html>/i);
    } finally {
      await cli.stop();
    }
  });
}
