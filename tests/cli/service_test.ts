import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { variablesIn } from "../../src/service/environment_file.ts";
import { type PlistValue, readPlist } from "../service/plist.ts";
import { machine, recorder, UNIT } from "./service_machine.ts";
import { fixture, type Session, withSession } from "./session.ts";

const ENVIRONMENT = ".config/opencode-multi-auth/service.env";
const PLIST = "Library/LaunchAgents/opencode-multi-auth.codex-soft.plist";

const mode = (session: Session, path: string) => statSync(join(session.home, path)).mode & 0o777;
const text = (session: Session, path: string) => readFileSync(join(session.home, path), "utf8");

Deno.test("service install writes the unit and starts it, in the older program's words", () =>
  withSession(async (session) => {
    const runner = recorder();
    const on = machine(session, "linux", runner);
    const ran = await session.runWith(on, "service", "install", "--port", "4545", "--host", "::1");
    assert.equal(ran.code, 0, ran.err);
    const file = join(session.home, UNIT);
    assert.match(ran.out, new RegExp(`^Installed systemd user service at ${file}\n`));
    assert.match(
      ran.out,
      /http:\/\/\[::1\]:4545; open it with: opencode-multi-auth web --url --port 4545\n/,
    );
    assert.match(ran.out, /^It runs while you are logged in\..*loginctl enable-linger$/m);
    assert.deepEqual(runner.calls, [
      "systemctl --user daemon-reload",
      "systemctl --user enable --now codex-soft.service",
    ]);
    assert.equal(mode(session, UNIT), 0o600);
    assert.ok(
      text(session, UNIT).includes(
        `\nExecStart="${session.home}/my tools/opencode-multi-auth" web --host "::1" --port 4545\n`,
      ),
      text(session, UNIT),
    );
  }));

Deno.test("service install takes the environment along in a file of 0600, a passphrase never", () =>
  withSession(async (session) => {
    const on = machine(session, "linux", recorder(), {
      CODEX_HOME: "/elsewhere/codex",
      OPENCODE_MULTI_AUTH_BACKEND_URL: "http://127.0.0.1:9/backend-api",
      OPENCODE_MULTI_AUTH_EXPORT_PASSPHRASE: "export-secret",
      OPENCODE_MULTI_AUTH_NOTIFY_NTFY_TOKEN: "ntfy-secret",
      CODEX_SOFT_STORE_PASSPHRASE: "store-secret",
      SOMETHING_ELSE: "not ours",
    });
    const ran = await session.runWith(on, "service", "install");
    assert.match(ran.out, /CODEX_SOFT_STORE_PASSPHRASE was not written down/);
    assert.equal(mode(session, ENVIRONMENT), 0o600);
    assert.deepEqual(text(session, ENVIRONMENT).split("\n").slice(1), [
      'CODEX_HOME="/elsewhere/codex"',
      'OPENCODE_MULTI_AUTH_BACKEND_URL="http://127.0.0.1:9/backend-api"',
      `PATH="${session.home}/bin"`,
      "",
    ]);
    for (const [path, content] of Object.entries(session.files())) {
      const there = atob(content === "folder" ? "" : content);
      assert.ok(!/-secret/.test(there), `a passphrase is in ${path}`);
    }
    const command = { CODEX_SOFT_STORE_PASSPHRASE_COMMAND: `pass show "codex"` };
    const again = await session.runWith(
      machine(session, "linux", recorder(), command),
      "service",
      "install",
    );
    assert.doesNotMatch(again.out, /was not written down/);
    assert.match(
      text(session, ENVIRONMENT),
      /^CODEX_SOFT_STORE_PASSPHRASE_COMMAND="pass show \\"codex\\""$/m,
    );
  }));

Deno.test("service install a second time keeps port and host, and restarts only what has changed", () =>
  withSession(async (session) => {
    const runner = recorder();
    const on = machine(session, "linux", runner);
    await session.runWith(on, "service", "install", "--port", "4545");
    const before = session.files();
    const same = await session.runWith(on, "service", "install");
    assert.match(same.out, /:4545;/);
    assert.deepEqual(session.files(), before);
    assert.equal(runner.calls.filter((call) => call.includes("restart")).length, 0);
    await session.runWith(on, "service", "install", "--port", "4546");
    assert.equal(runner.calls.at(-1), "systemctl --user restart codex-soft.service");
  }));

for (const platform of ["linux", "darwin"]) {
  Deno.test(`service install a second time keeps the passphrase command, also where the shell has none (${platform})`, () =>
    withSession(async (session) => {
      const name = "CODEX_SOFT_STORE_PASSPHRASE_COMMAND";
      const install = async (env: Record<string, string>) => {
        const on = machine(session, platform, recorder(), env);
        const { code, out, err } = await session.runWith(on, "service", "install");
        assert.equal(code, 0, err);
        const file = text(session, platform === "linux" ? ENVIRONMENT : PLIST);
        const { [name]: command, ...rest } = platform === "linux"
          ? variablesIn(file)
          : (readPlist(file) as Record<string, Record<string, string>>)["EnvironmentVariables"] ??
            {};
        return { command, rest, out };
      };
      const show = `pass show "a\\b" & <c> $D \`e\``;
      await install({ [name]: show, CODEX_HOME: "/elsewhere" });
      const second = await install({ CODEX_SOFT_STORE_PASSPHRASE: "store-secret" });
      assert.equal(second.command, show);
      assert.deepEqual(Object.keys(second.rest), ["PATH"], "the others are as they are now");
      assert.doesNotMatch(second.out, /was not written down/, "the service has its command");
      assert.equal((await install({ [name]: "other" })).command, "other");
      assert.equal((await install({ [name]: "" })).command, undefined, "an empty one ends it");
    }));
}

Deno.test("service install takes over the service of an older project, its port included", () =>
  withSession(async (session) => {
    const file = join(session.home, UNIT);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, fixture("older/codex-soft.service").replace("3434", "3500"));
    const ran = await session.runWith(machine(session, "linux", recorder()), "service", "install");
    assert.match(ran.out, /127\.0\.0\.1:3500;/);
    assert.doesNotMatch(text(session, UNIT), /node_modules/);
  }));

Deno.test("service disable, status, logs and uninstall ask systemd for that", () =>
  withSession(async (session) => {
    const runner = recorder((call) =>
      call.includes(" show ")
        ? { stdout: "ActiveState=active\nUnitFileState=enabled\n" }
        : call.includes(" status ")
        ? { stdout: "● codex-soft.service - running\n" }
        : {}
    );
    const on = machine(session, "linux", runner);
    await session.runWith(on, "service", "install", "--port", "4545");
    runner.calls.length = 0;
    const run = (...argv: string[]) => session.runWith(on, "service", ...argv);

    assert.deepEqual(await run("status"), {
      code: 0,
      out: "● codex-soft.service - running\n",
      err: "",
    });
    assert.deepEqual(runner.calls, ["systemctl --user status codex-soft.service --no-pager"]);
    const { file: _file, ...state } = JSON.parse((await run("status", "--json")).out);
    assert.deepEqual(state, {
      manager: "systemd",
      service: "codex-soft.service",
      host: "127.0.0.1",
      port: 4545,
      installed: true,
      running: true,
      enabled: true,
    });
    assert.deepEqual(await run("logs", "-f", "-n", "7"), { code: 0, out: "", err: "" });
    assert.equal(
      runner.calls.at(-1),
      "journalctl --user --user-unit=codex-soft.service --lines=7 --no-pager --follow",
    );
    assert.equal((await run("disable")).out, "Disabled codex-soft systemd user service.\n");
    assert.equal(runner.calls.at(-1), "systemctl --user disable --now codex-soft.service");
    assert.ok(existsSync(join(session.home, UNIT)));
    assert.match((await run("uninstall")).out, /^Removed codex-soft systemd user service, /);
    assert.ok(!existsSync(join(session.home, UNIT)));
    assert.ok(!existsSync(join(session.home, ENVIRONMENT)));
    assert.equal((await run("uninstall")).out, "The service is not installed.\n");
  }));

Deno.test("service on macOS is a launchd agent, its file 0600 with the environment in it", () =>
  withSession(async (session) => {
    const target = "gui/501/opencode-multi-auth.codex-soft";
    let loaded = false;
    const runner = recorder((call) => {
      if (call.startsWith("launchctl bootstrap")) loaded = true;
      if (call.startsWith("launchctl bootout")) loaded = false;
      if (call.startsWith("launchctl print ")) {
        return loaded ? { stdout: "\tstate = running\n" } : { code: 113, stderr: "Could not find" };
      }
      return {};
    });
    const on = machine(session, "darwin", runner, { CODEX_HOME: "/Users/me/a & b" });
    const ran = await session.runWith(on, "service", "install", "--port", "4545");
    const file = join(session.home, PLIST);
    assert.match(ran.out, new RegExp(`^Installed launchd agent at ${file}\n`));
    assert.equal(mode(session, PLIST), 0o600);
    const plist = readPlist(text(session, PLIST)) as Record<string, PlistValue>;
    assert.deepEqual(plist["ProgramArguments"], [
      join(session.home, "my tools", "opencode-multi-auth"),
      ...["web", "--host", "127.0.0.1", "--port", "4545"],
    ]);
    assert.equal(
      (plist["EnvironmentVariables"] as Record<string, string>)["CODEX_HOME"],
      "/Users/me/a & b",
    );
    const log = String(plist["StandardOutPath"]);
    assert.equal(statSync(log).mode & 0o777, 0o600);
    assert.deepEqual(runner.calls, [
      `launchctl print ${target}`,
      `launchctl enable ${target}`,
      `launchctl bootstrap gui/501 ${file}`,
    ]);

    runner.calls.length = 0;
    await session.runWith(on, "service", "install");
    assert.deepEqual(runner.calls.slice(0, 2), [
      `launchctl print ${target}`,
      `launchctl bootout ${target}`,
    ]);
    assert.equal((await session.runWith(on, "service", "status")).code, 0);
    await session.runWith(on, "service", "logs", "--follow");
    assert.equal(runner.calls.at(-1), `tail -n 100 -F ${log}`);
    const disabled = await session.runWith(on, "service", "disable");
    assert.equal(disabled.out, "Disabled codex-soft launchd agent.\n");
    assert.deepEqual(runner.calls.slice(-2), [
      `launchctl bootout ${target}`,
      `launchctl disable ${target}`,
    ]);
    await session.runWith(on, "service", "uninstall");
    assert.ok(!existsSync(file) && !existsSync(log));
  }));

Deno.test("service status of one that does not run shows the report and ends with 1", () =>
  withSession(async (session) => {
    const runner = recorder((call) =>
      call.includes(" status ") ? { code: 3, stdout: "○ codex-soft.service - inactive\n" } : {}
    );
    const on = machine(session, "linux", runner);
    await session.runWith(on, "service", "install");
    assert.deepEqual(await session.runWith(on, "service", "status"), {
      code: 1,
      out: "○ codex-soft.service - inactive\n",
      err: "Error: The service does not run. See: opencode-multi-auth service logs\n",
    });
    assert.equal(
      JSON.parse((await session.runWith(on, "service", "status", "--json")).out).running,
      false,
    );
  }));
