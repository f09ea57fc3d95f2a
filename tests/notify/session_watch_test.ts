import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Notification } from "../../src/notify/notification.ts";
import {
  readSessionInfo,
  type SessionEvent,
  SessionWatch,
} from "../../src/notify/session_watch.ts";
import { VirtualClock } from "../virtual_clock.ts";

const EVENTS: SessionEvent[] = readFileSync(
  new URL("../fixtures/opencode/events.jsonl", import.meta.url),
  "utf8",
).trim().split("\n").map((line) => JSON.parse(line).event);

function watch(describe: (id: string) => Promise<unknown> = () => Promise.resolve(undefined)) {
  const clock = new VirtualClock();
  const told: Promise<Notification>[] = [];
  const sessions = new SessionWatch({
    clock,
    describe: async (id) => readSessionInfo(await describe(id)),
    tell: (notification) =>
      told.push(
        typeof notification === "function" ? notification() : Promise.resolve(notification),
      ),
  });
  const status = (id: string, type: string, more = {}) =>
    sessions.event({
      type: "session.status",
      properties: { sessionID: id, status: { type, ...more } },
    });
  return {
    clock,
    sessions,
    told: () => Promise.all(told),
    bodies: async () => (await Promise.all(told)).map(({ body }) => body),
    status,
    idle: (id: string) => {
      status(id, "idle");
      sessions.event({ type: "session.idle", properties: { sessionID: id } });
    },
    created: (id: string, info: object) =>
      sessions.event({
        type: "session.created",
        properties: { sessionID: id, info: { id, ...info } },
      }),
    error: (id: string | undefined, error: object) =>
      sessions.event({ type: "session.error", properties: { sessionID: id, error } }),
  };
}

Deno.test("recorded events: each turn's end is told once, its retries once, its error instead of its end", async () => {
  const { sessions, told, clock } = watch();
  for (const event of EVENTS) {
    sessions.event(event);
    // As long as a turn may take; the recording has them milliseconds apart.
    if (event.type === "session.idle") await clock.advance(5_000);
  }
  const id = "ses_df6416e84ffetoW8FYK6PllisB";
  assert.deepEqual((await told()).map(({ topic, session }) => [topic, session]), [
    ["idle", id],
    ["idle", id],
    ["retry", id],
    ["error", id],
  ]);
  const [idle, , retry, error] = await told();
  assert.deepEqual(idle, {
    topic: "idle",
    title: "OpenCode",
    body: `Session idle: ${id}`,
    priority: 3,
    tags: ["white_check_mark"],
    session: id,
  });
  assert.equal(retry?.priority, 4);
  assert.match(retry?.body ?? "", /^Session retries: .*\nThe usage limit has been reached/);
  assert.equal(error?.priority, 5);
  assert.match(error?.body ?? "", /^Session error: .*\nThe usage limit has been reached$/);
});

Deno.test("a session is not told to be idle twice within 2 s, and is told again after that", async () => {
  const { status, idle, bodies, clock } = watch();
  status("a", "busy");
  idle("a");
  idle("a");
  await clock.advance(1_999);
  status("a", "busy");
  idle("a");
  assert.equal((await bodies()).length, 1);
  status("b", "busy");
  idle("b");
  assert.equal((await bodies()).length, 2, "another session has its own two seconds");
  await clock.advance(2_000);
  status("a", "busy");
  idle("a");
  assert.equal((await bodies()).length, 3);
});

Deno.test("idle without busy before is nothing to tell; a clock set back keeps nothing quiet", async () => {
  const { status, idle, bodies, clock } = watch();
  idle("a");
  assert.deepEqual(await bodies(), []);
  status("a", "busy");
  idle("a");
  clock.jump(clock.now() - 86_400_000);
  status("a", "busy");
  idle("a");
  assert.equal((await bodies()).length, 2);
});

Deno.test("a session has its title, else its project, else its id for a name", async () => {
  const { created, status, idle, bodies } = watch((id) =>
    id === "old" ? Promise.resolve({ title: "From before" }) : Promise.reject(new Error("no"))
  );
  created("a", { title: 'Fix\n the\u001b[2J "bug" $(id)', directory: "/home/dev/shop" });
  created("b", { title: "New session - 2026-11-23T18:21:41.946Z", directory: "/home/dev/shop/" });
  for (const id of ["a", "b", "old", "gone"]) {
    status(id, "busy");
    idle(id);
  }
  assert.deepEqual((await bodies()).sort(), [
    'Session idle: Fix the [2J "bug" $(id)',
    "Session idle: From before",
    "Session idle: gone",
    "Session idle: untitled, in shop",
  ]);
});

Deno.test("OpenCode is not asked for a title for longer than half a second", async () => {
  const { status, idle, bodies, clock } = watch(() => new Promise(() => {}));
  status("slow", "busy");
  idle("slow");
  await clock.advance(499);
  let settled = false;
  const waiting = bodies().then((all) => (settled = true, all));
  await clock.advance(0);
  assert.equal(settled, false);
  await clock.advance(1);
  assert.deepEqual(await waiting, ["Session idle: slow"]);
});

Deno.test("sessions of sub-agents need a setting of their own", async () => {
  const { created, status, idle, told } = watch();
  created("child", { title: "Look around (@explore subagent)", parentID: "a" });
  created("a", { title: "Main" });
  for (const id of ["child", "a"]) {
    status(id, "busy");
    idle(id);
  }
  assert.deepEqual((await told()).map(({ topic, also }) => [topic, also]), [
    ["idle", "subagents"],
    ["idle", undefined],
  ]);
});

Deno.test("what the person stops is not told; a token in an error neither", async () => {
  const { status, idle, error, bodies } = watch();
  status("a", "busy");
  error("a", { name: "MessageAbortedError", data: { message: "Aborted" } });
  idle("a");
  assert.deepEqual(await bodies(), []);
  error(undefined, { name: "UnknownError", data: { message: "bad token eyJhbGciOi.eyJzdWIi.x" } });
  error("b", {});
  assert.deepEqual(await bodies(), [
    "Session error: (unnamed)\nbad token [jwt]",
    "Session error: b",
  ]);
});

Deno.test("events in any shape are survived, and sessions do not pile up", async () => {
  const { sessions, told, created, status, idle, bodies } = watch();
  for (const type of ["created", "updated", "deleted", "status", "idle", "error", "other"]) {
    for (const properties of [undefined, null, 1, [], {}, { info: 1, status: 1, error: 1 }]) {
      sessions.event({ type: `session.${type}`, properties });
    }
  }
  assert.ok((await told()).every(({ topic }) => topic === "error"));
  const before = (await bodies()).length;
  for (let index = 0; index < 2_000; index++) created(`s${index}`, { title: `Title ${index}` });
  status("s0", "busy");
  idle("s0");
  assert.deepEqual((await bodies()).slice(before), ["Session idle: s0"], "the oldest is forgotten");
});
