import assert from "node:assert/strict";
import fc from "fast-check";
import { launchdPlist, plistEnvironment, plistSettings } from "../../src/service/launchd_plist.ts";
import { type PlistValue, readPlist } from "./plist.ts";

const AGENT = {
  label: "opencode-multi-auth.codex-soft",
  command: ["/usr/local/bin/opencode-multi-auth", "web", "--host", "::1", "--port", "4000"],
  environment: { PATH: "/usr/bin" },
  folder: "/Users/me",
  log: "/Users/me/.config/opencode-multi-auth/logs/service.log",
};

Deno.test("the agent is what launchd has to be told", () => {
  assert.deepEqual(readPlist(launchdPlist(AGENT)), {
    Label: AGENT.label,
    ProgramArguments: AGENT.command,
    EnvironmentVariables: AGENT.environment,
    WorkingDirectory: "/Users/me",
    RunAtLoad: true,
    KeepAlive: { SuccessfulExit: false },
    ThrottleInterval: 10,
    Umask: 0o077,
    SoftResourceLimits: { Core: 0 },
    HardResourceLimits: { Core: 0 },
    StandardOutPath: AGENT.log,
    StandardErrorPath: AGENT.log,
  });
  assert.deepEqual(plistSettings(launchdPlist(AGENT)), { host: "::1", port: 4000 });
});

Deno.test("property: words and variables of any text come back as they were", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 40 })
    // deno-lint-ignore no-control-regex -- XML cannot hold these
    .filter((one) => !/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/.test(one) && one.isWellFormed());
  fc.assert(
    fc.property(fc.array(text), fc.dictionary(text, text), (words, environment) => {
      const plist = launchdPlist({ ...AGENT, command: words, environment });
      const read = readPlist(plist) as Record<string, PlistValue>;
      assert.deepEqual(read["ProgramArguments"], words);
      assert.deepEqual({ ...read["EnvironmentVariables"] as object }, { ...environment });
      assert.deepEqual(plistEnvironment(plist), { ...environment });
    }),
  );
});

Deno.test("what XML cannot hold is refused", () => {
  for (const word of ["/a\u0000b", "/a\u001bb", "/a\rb", "/a\ud800b"]) {
    assert.throws(() => launchdPlist({ ...AGENT, command: [word] }), /a property list cannot/);
  }
});

for (
  const [name, wrong] of [
    ["an open element", (text: string) => text.replace("</dict>\n</plist>", "</plist>")],
    ["a bare ampersand", (text: string) => text.replace("/usr/bin", "/usr & bin")],
    ["a value without a key", (text: string) => text.replace(/<key>Label<\/key>/, "")],
    ["a second root", (text: string) => `${text}<plist/>`],
  ] as const
) {
  Deno.test(`the reader of property lists notices ${name}`, () => {
    assert.throws(() => readPlist(wrong(launchdPlist(AGENT))));
  });
}
