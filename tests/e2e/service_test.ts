/**
 * The service as each form of the program installs it: with a `systemctl` that records what it is
 * asked, and the command of the unit really started with the unit's environment alone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { inRepository, VERSION } from "../../scripts/repository.ts";
import { PERMISSIONS } from "../../src/platform/permissions.ts";
import { unitWords } from "../service/unit_words.ts";
import { type Outcome, start } from "./child.ts";
import { cli, type Form } from "./cli.ts";
import { installPackage, managerEnv } from "./npm_install.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";

const NOWHERE = { issuerUrl: "http://127.0.0.1:9", backendUrl: "http://127.0.0.1:9/backend-api" };

/** Puts a `systemctl` in front that writes down its arguments. */
function recordSystemctl(sandbox: Sandbox): { path: string; calls: () => string[] } {
  const bin = join(sandbox.folder, "bin with a space");
  const record = join(sandbox.folder, "systemctl.calls");
  Deno.mkdirSync(bin);
  const file = join(bin, "systemctl");
  Deno.writeTextFileSync(file, `#!/bin/sh\necho "$*" >> '${record}'\n`);
  Deno.chmodSync(file, 0o755);
  return {
    path: `${bin}:${sandbox.env["PATH"]}`,
    calls: () => Deno.readTextFileSync(record).trim().split("\n"),
  };
}

/** The variables of the service, as a shell reads its file. */
async function environment(sandbox: Sandbox): Promise<Record<string, string>> {
  const file = join(sandbox.store, "service.env");
  const { stdout } = await new Deno.Command("env", {
    args: ["-i", "sh", "-c", `set -a; . "$0"; exec env -0`, file],
  }).output();
  const pairs = new TextDecoder().decode(stdout).split("\0").filter((pair) => pair !== "");
  return Object.fromEntries(pairs.map((pair) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)];
  }));
}

/** From source, as somebody with a clone and Deno runs it. */
function fromSource(
  sandbox: Sandbox,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Outcome> {
  return start(Deno.execPath(), ["run", ...PERMISSIONS, inRepository("cli.ts"), ...args], {
    env: { ...sandbox.env, ...env },
    cwd: sandbox.project,
  }).outcome;
}

/** From the package, as npm installs it into a global folder. */
async function fromPackage(
  sandbox: Sandbox,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const { bin } = await installPackage(sandbox, "npm");
  const manager = managerEnv(sandbox);
  const [systemctl] = (env["PATH"] ?? "").split(":");
  return await start(bin, args, {
    // Its own Node before any other, as where it was installed.
    env: { ...manager, ...env, PATH: `${systemctl}:${manager["PATH"]}` },
    cwd: sandbox.project,
  }).outcome;
}

/** A port that nobody listens on. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Starts the very command of the unit under those of its restrictions that need no systemd. */
const HARDENED = `umask 077; ulimit -c 0; exec ${
  Deno.build.os === "linux" ? "setpriv --no-new-privs" : ""
} "$0" "$@"`;

const KINDS = { binary: "binary", node: "source", source: "source", package: "package" } as const;

for (const form of ["binary", "node", "source", "package"] as const) {
  Deno.test(`the service that is installed by the ${form} form starts that form, with its environment`, async () => {
    await using sandbox = makeSandbox(NOWHERE);
    const systemctl = recordSystemctl(sandbox);
    const denoDir = Deno.env.get("DENO_DIR") ?? join(Deno.env.get("HOME") ?? "", ".cache", "deno");
    const env = {
      PATH: systemctl.path,
      DENO_DIR: denoDir,
      CODEX_SOFT_STORE_PASSPHRASE_COMMAND: `printf '%s' "a b$c"`,
    };
    const port = String(freePort());
    const args = ["service", "install", "--port", port];
    const installed = form === "source"
      ? await fromSource(sandbox, args, env)
      : form === "package"
      ? await fromPackage(sandbox, args, env)
      : await cli(sandbox, args, { form: form satisfies Form, env });
    assert.equal(installed.code, 0, installed.stderr);
    assert.deepEqual(systemctl.calls(), [
      "--user daemon-reload",
      "--user enable --now codex-soft.service",
    ]);
    const file = join(sandbox.env["XDG_CONFIG_HOME"] ?? "", "systemd/user/codex-soft.service");
    const unit = Deno.readTextFileSync(file);
    const [program = "", ...words] = unitWords(/^ExecStart=(.*)$/m.exec(unit)?.[1] ?? "");
    assert.deepEqual(words.slice(-5), ["web", "--host", "127.0.0.1", "--port", port]);

    const variables = await environment(sandbox);
    assert.equal(
      variables["CODEX_SOFT_STORE_PASSPHRASE_COMMAND"],
      env["CODEX_SOFT_STORE_PASSPHRASE_COMMAND"],
    );
    assert.equal(variables["OPENCODE_MULTI_AUTH_ISSUER_URL"], NOWHERE.issuerUrl);
    const alone = { env: { HOME: sandbox.home, ...variables }, cwd: sandbox.home };
    const { code, stdout, stderr } = await start(
      program,
      [...words.slice(0, -5), "version", "--json"],
      alone,
    ).outcome;
    assert.equal(code, 0, stderr);
    const about = JSON.parse(stdout);
    assert.deepEqual([about.version, about.installation], [VERSION, KINDS[form]]);
    await using service = start("sh", ["-c", HARDENED, program, ...words], alone);
    await service.said(new RegExp(`http://127\\.0\\.0\\.1:${port}/`));
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    assert.ok([401, 403].includes(answer.status), String(answer.status));
    await answer.body?.cancel();
  });
}
