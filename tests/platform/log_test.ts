import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileLog } from "../../src/platform/log.ts";
import { VirtualClock } from "../virtual_clock.ts";

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "log-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

Deno.test("lines have the form of the older projects, in a private file", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "logs", "codex-soft.log");
    const log = fileLog({ path, clock: new VirtualClock() });
    log.info("Codex dashboard running");
    log.error("Login failed: rt_abcdefghijkl\nsecond line");
    log.debug("not asked for");
    await log.flush();
    assert.equal(
      readFileSync(path, "utf8"),
      "2026-11-23T18:00:00.000Z [info] Codex dashboard running\n" +
        "2026-11-23T18:00:00.000Z [error] Login failed: [token] second line\n",
    );
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(join(folder, "logs")).mode & 0o777, 0o700);
  });
});

Deno.test("a line touches the disk only after the delay", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a.log");
    const clock = new VirtualClock();
    const log = fileLog({ path, clock });
    log.warn("soon");
    assert.equal(existsSync(path), false);
    await clock.advance(250);
    await log.flush();
    assert.match(readFileSync(path, "utf8"), /\[warn\] soon/);
  });
});

Deno.test("a log that cannot be written disturbs nobody", async () => {
  await inFolder(async (folder) => {
    const log = fileLog({ path: folder, clock: new VirtualClock() });
    log.info("nowhere to go");
    await log.flush();
    log.info("still nowhere");
    log.flushSync();
  });
});

Deno.test("a large file is kept aside once and a new one begun", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a.log");
    writeFileSync(path, "x".repeat(2 * 1024 * 1024 + 1), { mode: 0o644 });
    const log = fileLog({ path, clock: new VirtualClock() });
    log.info("fresh");
    await log.flush();
    assert.ok(statSync(path).size < 100);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.ok(statSync(`${path}.1`).size > 2 * 1024 * 1024);
    assert.equal(statSync(`${path}.1`).mode & 0o777, 0o600);
  });
});

Deno.test("lines of several writers stay whole", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a.log");
    const logs = Array.from({ length: 4 }, () => fileLog({ path, clock: new VirtualClock() }));
    for (let n = 0; n < 50; n++) {
      for (const [who, log] of logs.entries()) log.info(`line ${who} ${n}`);
    }
    await Promise.all(logs.map((log) => log.flush()));
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    assert.equal(lines.length, 200);
    assert.ok(lines.every((line) => /^\S+Z \[info\] line \d \d+$/.test(line)));
  });
});

Deno.test("processes that meet at a full file lose no line", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a.log");
    const worker = new URL("log_worker.ts", import.meta.url).pathname;
    const lines = 1_000;
    const outcomes = await Promise.all(
      ["a", "b", "c"].map((who) =>
        new Deno.Command(Deno.execPath(), {
          args: ["run", "--no-check", "-A", worker, path, who, String(lines)],
        }).output()
      ),
    );
    assert.ok(outcomes.every(({ success }) => success));
    // Three megabytes: the file was full once.
    assert.deepEqual(readdirSync(folder).sort(), ["a.log", "a.log.1"]);
    const text = [readFileSync(`${path}.1`, "utf8"), readFileSync(path, "utf8")].join("");
    const found = new Set(
      text.trimEnd().split("\n").map((line) => /\[info\] (\w \d+) /.exec(line)?.[1]),
    );
    assert.equal(found.size, 3 * lines);
  });
});

Deno.test("a process that died while it kept the file aside stands in nobody's way", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a.log");
    writeFileSync(path, "x".repeat(2 * 1024 * 1024 + 1));
    mkdirSync(`${path}.lock`);
    const clock = new VirtualClock(Date.now());
    const log = fileLog({ path, clock });
    log.info("meanwhile");
    await log.flush();
    assert.match(readFileSync(path, "utf8"), /meanwhile/);
    clock.jump(clock.now() + 11_000);
    for (const text of ["one", "two"]) {
      log.info(text);
      await log.flush();
    }
    assert.deepEqual(readdirSync(folder).sort(), ["a.log", "a.log.1"]);
  });
});

Deno.test("lines that the disk refuses are written when it takes them again", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a.log");
    mkdirSync(path);
    const log = fileLog({ path, clock: new VirtualClock() });
    log.info("first");
    await log.flush();
    rmdirSync(path);
    log.info("second");
    log.flushSync();
    assert.match(readFileSync(path, "utf8"), /first\n.*second\n$/);
  });
});
