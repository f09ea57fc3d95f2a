import assert from "node:assert/strict";
import type { Machine } from "../../src/notify/channel.ts";
import type { Notification } from "../../src/notify/notification.ts";
import { createNotifier } from "../../src/notify/notifier.ts";
import { ntfy } from "../../src/notify/ntfy.ts";
import type { Log } from "../../src/platform/log.ts";
import { type Settings, STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { EagerClock } from "../oauth/eager_clock.ts";
import { VirtualClock } from "../virtual_clock.ts";
import { NASTY, startNtfy, withStubs } from "./stubs.ts";

const NEWS: Notification = {
  topic: "idle",
  title: "OpenCode",
  body: `Session idle: ${NASTY}\nmore`,
  priority: 3,
  tags: ["white_check_mark", "zwei"],
  session: "ses_1",
};
const TOKEN = "tk_verysecrettoken";

function machine(changes: Partial<Machine> = {}): Machine {
  return {
    platform: "linux",
    env: {},
    clock: new EagerClock(2_000),
    fetch: (url, init) => globalThis.fetch(url, init),
    find: () => undefined,
    run: () => Promise.reject(new Error("this test runs no program")),
    ...changes,
  };
}

function recordingLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  return {
    lines,
    log: {
      debug: write,
      info: write,
      warn: write,
      error: write,
      flush: () => Promise.resolve(),
      flushSync() {},
    },
  };
}

Deno.test("ntfy gets title, text, priority, tags, link and token", async () => {
  await using server = startNtfy();
  const link = "https://host.example/session/ses_1";
  await ntfy(machine(), server.url, TOKEN).send({ ...NEWS, title: "Ünï 🎉\r\nX-Evil: 1" }, link);
  const [message] = server.received;
  assert.deepEqual([message?.method, message?.path], ["POST", "/my-topic"]);
  assert.equal(message?.body, NEWS.body);
  const header = (name: string) => message?.headers.get(name) ?? null;
  assert.equal(header("content-type"), "text/plain; charset=utf-8");
  assert.match(header("title") ?? "", /^=\?UTF-8\?B\?[A-Za-z0-9+/=]+\?=$/);
  assert.equal(header("x-evil"), null);
  assert.equal(header("priority"), "3");
  assert.equal(header("tags"), "white_check_mark,zwei");
  assert.equal(header("click"), link);
  assert.equal(header("authorization"), `Bearer ${TOKEN}`);
});

Deno.test("without a token, a link and tags there are no such headers", async () => {
  await using server = startNtfy();
  await ntfy(machine(), server.url, undefined).send({ ...NEWS, tags: [] }, undefined);
  const names = [...server.received[0]?.headers.keys() ?? []];
  for (const name of ["authorization", "click", "tags"]) assert.ok(!names.includes(name), name);
  assert.equal(server.received[0]?.headers.get("title"), "OpenCode");
});

for (
  const [name, answer, tries, said] of [
    ["503, then 200", (n: number) => n === 0 ? 503 : 200, 2, undefined],
    ["429, then 200", (n: number) => n === 0 ? 429 : 200, 2, undefined],
    ["500 for ever", () => 500, 2, /the server answered 500 \(tried twice\)/],
    ["403", () => 403, 1, /the server answered 403: it wants another access token$/],
    ["404", () => 404, 1, /the server answered 404$/],
  ] as const
) {
  Deno.test(`ntfy is tried once more where that may help: ${name}`, async () => {
    await using server = startNtfy(answer);
    const sent = ntfy(machine(), server.url, TOKEN).send(NEWS, undefined);
    if (said) await assert.rejects(sent, said);
    else await sent;
    assert.equal(server.received.length, tries);
  });
}

Deno.test("a redirect is not followed: the text and the token stay here", async () => {
  await using other = startNtfy();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => new Response(null, { status: 302, headers: { location: other.url } }),
  );
  const url = `http://127.0.0.1:${server.addr.port}/t`;
  await assert.rejects(ntfy(machine(), url, TOKEN).send(NEWS, undefined), /answered 302/);
  assert.equal(other.received.length, 0);
  await server.shutdown();
});

Deno.test("a server that never answers is given up after 10 s, and once more", async () => {
  const clock = new VirtualClock();
  let tries = 0;
  const hang: typeof fetch = (_url, init) =>
    new Promise((_resolve, reject) => {
      tries++;
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
    });
  const sent = ntfy(machine({ clock, fetch: hang }), "https://ntfy.example/t", TOKEN)
    .send(NEWS, undefined);
  const ended = assert.rejects(sent, /no answer within 10 s \(tried twice\)/);
  await clock.advance(9_999);
  assert.equal(tries, 1);
  await clock.advance(1 + 1_500);
  assert.equal(tries, 2);
  await clock.advance(10_000);
  await ended;
});

Deno.test("neither the token nor the topic is in an error", async () => {
  const url = "http://ntfy.example/very-secret-topic";
  for (const thrown of [new TypeError(`error sending request for url (${url})`), new Error(url)]) {
    const broken = machine({ fetch: () => Promise.reject(thrown) });
    await assert.rejects(ntfy(broken, url, TOKEN).send(NEWS, undefined), (error: Error) => {
      assert.doesNotMatch(error.message, /very-secret|tk_very/);
      assert.match(error.message, /cannot be reached/);
      return true;
    });
  }
});

/** A notifier over an ntfy server and a desktop whose program is a stub. */
function notifierOf(url: string, changes: Partial<Machine> = {}, settings: Partial<Settings> = {}) {
  const { log, lines } = recordingLog();
  const clock = changes.clock ?? new EagerClock(2_000);
  const notifier = createNotifier({
    machine: machine({ clock, ...changes }),
    settings: () => ({ ...STANDARD_SETTINGS, notifyNtfyUrl: url, ...settings }),
    clock,
    log,
  });
  return { notifier, lines };
}

Deno.test("a failing channel is one line in the log, and does not keep the others from it", async () => {
  await using server = startNtfy();
  const ran: string[] = [];
  const { notifier, lines } = notifierOf(server.url, {
    find: (program) => `/stub/${program}`,
    run: (program) => {
      ran.push(program);
      return Promise.resolve({ code: 1, said: "no bus" });
    },
  });
  notifier.tell(NEWS);
  await server.arrived(1);
  notifier.tell(NEWS);
  await server.arrived(2);
  await notifier.close(5_000);
  assert.equal(ran.length, 2);
  assert.deepEqual(lines, [
    "notification (idle): desktop failed: notify-send ended with 1: no bus",
  ]);
});

Deno.test("what is not wanted is not told, and what is wanted with it only together", async () => {
  const told = async (settings: Partial<Settings>, news: Notification) => {
    await using server = startNtfy();
    const { notifier } = notifierOf(server.url, {}, settings);
    notifier.tell(news);
    await notifier.close(5_000);
    return server.received.length === 1;
  };
  const child: Notification = { ...NEWS, also: "subagents" };
  assert.equal(await told({}, NEWS), true);
  assert.equal(await told({ notify: false }, NEWS), false);
  assert.equal(await told({ notifyAbout: ["error"] }, NEWS), false);
  assert.equal(await told({}, child), false);
  assert.equal(await told({ notifyAbout: ["idle", "subagents"] }, child), true);
  assert.equal(await told({ notifyAbout: ["subagents"] }, child), false);
});

Deno.test("closing ends when all is sent; at its limit it lets go of a server that hangs", async () => {
  const clock = new VirtualClock();
  let answer = (_: Response) => {};
  let letGo = false;
  const hanging = () =>
    notifierOf("https://ntfy.example/t", {
      clock,
      fetch: (_url, init) =>
        new Promise((resolve, reject) => {
          answer = resolve;
          init?.signal?.addEventListener("abort", () => {
            letGo = true;
            reject(init.signal?.reason);
          });
        }),
    });
  const isOver = async (work: Promise<void>) => {
    let over = false;
    void work.then(() => over = true);
    await clock.advance(0);
    return over;
  };
  assert.equal(await isOver(hanging().notifier.close(800)), true, "nothing is under way");
  const first = hanging();
  first.notifier.tell(NEWS);
  const closing = first.notifier.close(800);
  await clock.advance(799);
  assert.deepEqual([await isOver(closing), letGo], [false, false]);
  await clock.advance(1);
  assert.deepEqual([await isOver(closing), letGo], [true, true]);
  assert.deepEqual(first.lines, ["notification (idle): ntfy was under way when OpenCode ended"]);
  const second = hanging();
  second.notifier.tell(NEWS);
  const quick = second.notifier.close(800);
  assert.equal(await isOver(quick), false);
  answer(new Response("{}"));
  assert.equal(await isOver(quick), true);
  assert.deepEqual(second.lines, []);
  assert.equal(clock.pending, 0);
});

Deno.test("closing cuts the pause before the other try short", async () => {
  const clock = new VirtualClock();
  const asked: number[] = [];
  const { notifier, lines } = notifierOf("https://ntfy.example/t", {
    clock,
    fetch: () => {
      asked.push(clock.now());
      return Promise.resolve(new Response("", { status: asked.length === 1 ? 503 : 200 }));
    },
  });
  const start = clock.now();
  notifier.tell(NEWS);
  await clock.advance(100);
  let over = false;
  void notifier.close(800).then(() => over = true);
  await clock.advance(0);
  assert.deepEqual([asked, over, lines], [[start, start + 100], true, []]);
});

Deno.test("a server that hangs does not pile notifications up", async () => {
  const clock = new VirtualClock();
  let asked = 0;
  const { notifier, lines } = notifierOf("https://ntfy.example/t", {
    clock,
    fetch: () => new Promise(() => asked++),
  });
  const taken: boolean[] = [];
  for (let index = 0; index < 50; index++) taken.push(notifier.tell(NEWS));
  await clock.advance(0);
  assert.equal(asked, 20);
  assert.equal(lines.length, 30);
  assert.equal(taken.filter((one) => one).length, 20);
});

Deno.test("what is left out because too much is under way is not claimed", async () => {
  const clock = new VirtualClock();
  const { notifier } = notifierOf("https://ntfy.example/t", {
    clock,
    fetch: () => new Promise(() => {}),
  });
  let claims = 0;
  const claimed = () => (claims++, Promise.resolve(NEWS));
  for (let index = 0; index < 20; index++) assert.equal(notifier.tell(claimed), true);
  assert.equal(notifier.tell(claimed), false);
  await clock.advance(0);
  assert.equal(claims, 20);
});

Deno.test("a real program is started for each notification, with the text as it is", async () => {
  await withStubs(["notify-send"], async ({ folder, called }) => {
    const { thisMachine } = await import("../../src/notify/machine.ts");
    const { systemClock } = await import("../../src/platform/clock.ts");
    const { notifier, lines } = notifierOf("", {
      ...thisMachine({
        env: { PATH: `${folder}:/usr/bin:/bin` },
        clock: systemClock,
        fetch: globalThis.fetch,
        platform: "linux",
        background: true,
      }),
      clock: systemClock,
    });
    notifier.tell({ ...NEWS, title: NASTY });
    await notifier.close(10_000);
    assert.equal((await called("notify-send", 1))[0]?.args[3], NASTY);
    assert.deepEqual(lines, []);
  });
});
