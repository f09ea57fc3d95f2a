import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild } from "../../src/codex_cli/child.ts";
import { sleep, systemClock } from "../../src/platform/clock.ts";
import { start } from "../e2e/child.ts";
import { runs } from "./fake_codex.ts";

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const WORKER = file("./child_worker.ts");

/** A program that says what it reads first, and never ends by itself. */
const STUBBORN = `trap "" TERM HUP INT; read -r line; echo "read: $line"; sleep "$0"; sleep "$0"`;

/** Waits until something holds; a test that waits in vain fails. */
async function until(holds: () => boolean, what: string): Promise<void> {
  for (let round = 0; round < 200; round++) {
    if (holds()) return;
    await sleep(systemClock, 25);
  }
  assert.fail(`not within 5 s: ${what}`);
}

/** At the last one it exits by itself. */
const SIGNALS = ["SIGKILL", "SIGHUP", "SIGTERM", "SIGINT", "SIGUSR1"] as const;

for (const input of ["open", "closed"] as const) {
  for (const signal of SIGNALS) {
    Deno.test(`a child (${input} input) and its file do not outlive a process that ${signal} ends`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "child-"));
      const mark = `95${Math.floor(Math.random() * 1e8)}`;
      const login = join(folder, "it's a login.json");
      writeFileSync(login, "{}");
      const program = ["/bin/sh", "-c", STUBBORN, mark];
      try {
        await using worker = start(
          Deno.execPath(),
          ["run", "--no-check", "-A", WORKER, input, login, ...program],
          { env: Deno.env.toObject(), cwd: folder },
        );
        const [, pid] = await worker.said(
          input === "open" ? /pid (\d+) read: a line/ : /pid (\d+) read: $/m,
        );
        assert.ok(runs(mark) && existsSync(login));
        Deno.kill(Number(pid), signal);
        await worker.outcome.catch(() => {});
        await until(() => !runs(mark), "all of it ends");
        assert.ok(!existsSync(login), "its file is still there");
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
}

for (const source of ["app-server", "exec"] as const) {
  Deno.test(`a sealed store leaves no token in the sandbox when the process that asks (${source}) is killed`, async () => {
    const mark = `93${Math.floor(Math.random() * 1e8)}`;
    await using worker = start(
      Deno.execPath(),
      ["run", "--no-check", "-A", file("./question_worker.ts"), source, mark],
      { env: Deno.env.toObject(), cwd: tmpdir() },
    );
    const [, pid, home = ""] = await worker.said(/pid (\d+) home (\S+)/);
    try {
      const login = join(home, ".codex-multi", "work", "auth.json");
      await until(() => existsSync(join(home, "began")), "the Codex CLI runs");
      assert.ok(existsSync(login));
      Deno.kill(Number(pid), "SIGKILL");
      await worker.outcome.catch(() => {});
      await until(() => !runs(mark), "it ends");
      assert.ok(!existsSync(login));
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
}

Deno.test("a child's exit status and both streams come through, and its file stays", async () => {
  const folder = mkdtempSync(join(tmpdir(), "child-"));
  const login = join(folder, "login.json");
  writeFileSync(login, "{}");
  try {
    const child = startChild("/bin/sh", ["-c", "cat; echo why >&2; exit 7"], {
      env: {},
      folder,
      input: "open",
      limitMs: 20_000,
      maxBytes: 1_000,
      clock: systemClock,
    });
    child.write("one\n");
    child.write("two\n");
    child.close();
    assert.deepEqual(await child.outcome, {
      end: { kind: "exit", code: 7 },
      stdout: "one\ntwo\n",
      stderr: "why\n",
    });
    assert.ok(existsSync(login));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

for (const stream of ["stdout", "stderr"] as const) {
  Deno.test(`a child that writes without an end on ${stream} is ended at its last allowed byte`, async () => {
    const { end, stdout, stderr } = await startChild(
      "/bin/sh",
      ["-c", stream === "stdout" ? "yes €" : "yes € >&2"],
      {
        env: { PATH: "/usr/bin:/bin" },
        folder: "/",
        input: "closed",
        limitMs: 20_000,
        maxBytes: 300_000,
        clock: systemClock,
      },
    ).outcome;
    assert.equal(end.kind, "too much output");
    const bytes = new TextEncoder().encode(stdout + stderr).length;
    assert.ok(bytes <= 300_000, `${bytes} bytes were kept`);
  });
}

Deno.test("a time limit holds for a child whose own child has left its group, too", async () => {
  const begin = performance.now();
  const { end } = await startChild("/bin/sh", ["-c", "setsid sleep 9 & sleep 0.3"], {
    env: { PATH: "/usr/bin:/bin" },
    folder: "/",
    input: "closed",
    limitMs: 600,
    maxBytes: 1_000,
    clock: systemClock,
  }).outcome;
  assert.equal(end.kind, "time limit");
  assert.ok(performance.now() - begin < 7_000);
});
