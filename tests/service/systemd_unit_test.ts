import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { environmentFile, variablesIn } from "../../src/service/environment_file.ts";
import { systemdUnit, unitSettings } from "../../src/service/systemd_unit.ts";
import { fixture } from "../cli/session.ts";
import { unitWords } from "./unit_words.ts";

function valueOf(unit: string, name: string): string {
  const found = new RegExp(`^${name}=(.*)$`, "m").exec(unit);
  assert.ok(found, `no ${name}= in ${unit}`);
  return found[1] ?? "";
}

const ODD: readonly (readonly [name: string, path: string])[] = [
  ["spaces", "/home/a b/my program"],
  ["a percent sign", "/home/100%/n%h"],
  ["a dollar sign", "/home/$HOME/${x}"],
  ["quotes", `/home/it's "me"/x`],
  ["backslashes", "/home/a\\b\\\\c"],
  ["a semicolon and a hash", "/home/a;b # c"],
  ["letters of other languages", "/home/Zoë/程序"],
];

for (const [name, path] of ODD) {
  Deno.test(`a path with ${name} reaches the program whole`, () => {
    const command = [path, "web", "--host", "127.0.0.1", "--port", "3434"];
    const unit = systemdUnit(command, "/home/x/service.env");
    const words = unitWords(valueOf(unit, "ExecStart"));
    assert.deepEqual(words.slice(-command.length), command);
    // systemd itself refuses such a program; env starts it.
    const front = /["'\\]/.test(path) ? ["/usr/bin/env"] : [];
    assert.deepEqual(words.slice(0, -command.length), front);
  });
}

Deno.test("a program that neither systemd nor env can start is refused", () => {
  assert.throws(() => systemdUnit([`/a"b=c/x`], "/e"), /systemd cannot start .* Move it/);
});

Deno.test("property: whatever the words are, systemd reads them back", () => {
  const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 })
    // deno-lint-ignore no-control-regex -- these are refused
    .filter((text) => !/[\u0000-\u001f\u007f]/.test(text));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (rest) => {
      const command = ["/bin/x", ...rest];
      const line = valueOf(systemdUnit(command, "/e"), "ExecStart");
      assert.deepEqual(unitWords(line), command);
    }),
  );
});

Deno.test("a path with a line break is refused, for it would begin a line of its own", () => {
  assert.throws(
    () => systemdUnit(["/x\nExecStartPre=/bin/rm"], "/e"),
    /"\/x\\nExecStartPre=\/bin\/rm" holds a control character\. Move it/,
  );
  assert.throws(() => systemdUnit(["/x"], "/e\r"), /control character/);
});

Deno.test("the environment file's path is neither a specifier nor a pattern", () => {
  const unit = systemdUnit(["/x"], "/home/50% [a]*/service.env");
  assert.equal(valueOf(unit, "EnvironmentFile"), "/home/50%% \\[a\\]\\*/service.env");
});

Deno.test("the unit restarts after a crash, with an end to it, and keeps what it writes private", () => {
  const unit = systemdUnit(["/x", "web"], "/e");
  for (
    const line of [
      "Restart=on-failure",
      "RestartSec=3",
      "StartLimitIntervalSec=300",
      "StartLimitBurst=5",
      "UMask=0077",
      "LimitCORE=0",
      "NoNewPrivileges=yes",
      "WantedBy=default.target",
    ]
  ) assert.ok(unit.includes(`\n${line}\n`), line);
  const [head, service] = unit.split("[Service]");
  assert.match(head ?? "", /StartLimitBurst/, "systemd reads it in [Unit] alone");
  // These need user namespaces, which kernels forbid: the service would not start.
  assert.doesNotMatch(service ?? "", /^(?:Private|Protect|ReadWritePaths|MemoryDeny)/m);
});

Deno.test("host and port are read out of our unit and of an older project's", () => {
  const words = ["/a b/x", "web", "--host", "::1", "--port", "4000"];
  assert.deepEqual(unitSettings(systemdUnit(words, "/e")), { host: "::1", port: 4000 });
  assert.deepEqual(unitSettings(fixture("older/codex-soft.service")), {
    host: "127.0.0.1",
    port: 3434,
  });
  assert.deepEqual(unitSettings("[Service]\nExecStart=/x web --port 0\n"), {
    host: undefined,
    port: undefined,
  });
});

Deno.test("property: a shell reads the environment file as it was written", () => {
  const folder = mkdtempSync(join(tmpdir(), "multi-auth-env-"));
  try {
    const file = join(folder, "service.env");
    const value = fc.string({ unit: "binary-ascii", maxLength: 40 })
      .filter((text) => !/[\0\r\n]/.test(text));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), (values) => {
        const variables = Object.fromEntries(values.map((text, at) => [`V${at}`, text]));
        writeFileSync(file, environmentFile(variables));
        assert.deepEqual(variablesIn(environmentFile(variables)), variables);
        const names = Object.keys(variables).map((name) => `"$${name}"`).join(" ");
        const said = execFileSync("sh", ["-c", `. "$0"; printf '%s\\n' ${names}`, file], {
          env: {},
          encoding: "utf8",
        });
        assert.equal(said, values.map((text) => `${text}\n`).join(""));
      }),
      { numRuns: 30 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

Deno.test("a variable with a line break is refused by its name, its value is not told", () => {
  assert.throws(() => environmentFile({ A: "1", B: "secret\nX=1" }), (error: Error) => {
    assert.match(error.message, /^The variable B holds a line break\./);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});
