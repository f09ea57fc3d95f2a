import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { machine, recorder, UNIT } from "./service_machine.ts";
import { type Ran, withSession } from "./session.ts";

/** What is refused, and with which words; nothing may be written then. */
const REFUSED: readonly (readonly [
  name: string,
  argv: readonly string[],
  code: number,
  said: RegExp,
  platform?: string,
])[] = [
  ["a port that is none", ["install", "--port", "http"], 1, /"http" is not a port\. Give a number/],
  ["port 0", ["install", "--port", "0"], 1, /"0" is not a port/],
  ["a host that others reach", ["install", "--host", "0.0.0.0"], 1, /not a loopback address/],
  ["an unknown action", ["instal"], 2, /no service action "instal"\. Actions: install, status/],
  ["status without a service", ["status"], 1, /not installed\. Install it with/],
  ["disable without a service", ["disable"], 1, /not installed/],
  ["logs without a service", ["logs"], 1, /not installed/],
  ["Windows", ["install"], 1, /Windows has neither systemd nor launchd.*Task Scheduler/, "win32"],
  ["a Linux without systemd", ["install"], 1, /has neither systemd nor launchd\. Let/, "freebsd"],
];

for (const [name, argv, code, said, platform = "linux"] of REFUSED) {
  Deno.test(`service refuses ${name} in one line and writes nothing`, () =>
    withSession(async (session) => {
      const runner = recorder();
      const on = machine(session, platform, runner);
      const before = session.files();
      const ran: Ran = await session.runWith(on, "service", ...argv);
      assert.equal(ran.code, code, ran.err);
      assert.match(ran.err, said);
      assert.match(ran.err, /^Error: [^\n]+\n$/);
      assert.deepEqual(session.files(), before);
      assert.deepEqual(runner.calls, []);
    }));
}

Deno.test("service refuses npx, whose copy may be gone tomorrow, and sudo", () =>
  withSession(async (session) => {
    const on = machine(session, "linux", recorder());
    const npx = await session.runWith(
      {
        ...on,
        programFile: "file:///h/.npm/_npx/1/node_modules/opencode-multi-auth-codex/cli.js",
        machine: { ...on.machine, execPath: "/usr/bin/node" },
      },
      "service",
      "install",
    );
    assert.match(npx.err, /^Error: This copy .* npm install --global opencode-multi-auth-codex\n$/);
    const sudo = await session.runWith(
      {
        ...on,
        env: { ...on.env, SUDO_USER: "me" },
        machine: { ...on.machine, uid: 0 },
      },
      "service",
      "install",
    );
    assert.match(sudo.err, /^Error: The service belongs to you, not to root\. Run it without sudo/);
  }));

Deno.test("service install without a session says what to do and keeps the unit", () =>
  withSession(async (session) => {
    const stderr = "Failed to connect to bus: No medium found\n";
    const runner = recorder(() => ({ code: 1, stderr }));
    const ran = await session.runWith(machine(session, "linux", runner), "service", "install");
    assert.equal(ran.code, 1);
    assert.match(
      ran.err,
      /^Error: Your systemd cannot be reached \("Failed to connect[^\n]*is kept\. Log in as yourself[^\n]*\n$/,
    );
    assert.ok(existsSync(join(session.home, UNIT)));
  }));
