import assert from "node:assert/strict";
import type { Context } from "../../src/cli/context.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { createProgram } from "../../src/cli/program.ts";

const programFor = (...argv: string[]) =>
  createProgram(
    { argv, columns: 80, write: () => {}, env: {} } as unknown as Context,
    COMMANDS,
  );

Deno.test("a command that is asked for by any of its names is made alone, and as it is among all", () => {
  const all = programFor().commands;
  assert.deepEqual(
    all.map((command) => [command.name(), ...command.aliases()]),
    COMMANDS.map(([names]) => names),
  );
  for (const [names] of COMMANDS) {
    for (const name of names) {
      const made = programFor(name).commands;
      if (name === "help" || name === "completions") {
        assert.equal(made.length, all.length, `${name} speaks of all`);
        continue;
      }
      assert.deepEqual(made.map((command) => command.name()), [names[0]]);
      const among = all.find((command) => command.name() === names[0]);
      assert.equal(made[0]?.helpInformation(), among?.helpInformation());
    }
  }
});

Deno.test("where the first word names no command, all are there to choose from", () => {
  for (const argv of [[], ["stauts"], ["--help"], ["-v"]]) {
    assert.equal(programFor(...argv).commands.length, COMMANDS.length, argv.join(" "));
  }
});
