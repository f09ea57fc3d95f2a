/** The command `web`, as a person or a service starts it. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { atTerminal } from "../cli/people.ts";
import { type Ran, type Session, withSession } from "../cli/session.ts";
import type { Context } from "../../src/cli/context.ts";
import { systemClock } from "../../src/platform/clock.ts";

/** A dashboard that runs. */
interface Web {
  readonly port: number;
  readonly link: string;
  readonly printed: () => string;
  /** Ends it as Ctrl-C does. */
  stop(): Promise<Ran>;
}

/** Starts `web` and waits for its link. */
async function start(
  session: Session,
  args: readonly string[],
  changes: Partial<Context> = {},
): Promise<Web> {
  const end = new AbortController();
  const said = Promise.withResolvers<void>();
  let out = "";
  const running = session.runWith(
    {
      clock: systemClock,
      fetch,
      signal: end.signal,
      write: (text) => {
        out += text;
        if (out.includes("Listening")) said.resolve();
      },
      ...changes,
    },
    "web",
    ...args,
  );
  await Promise.race([
    said.promise,
    running.then(({ code, err }) => Promise.reject(new Error(`ended with ${code}: ${err}`))),
  ]);
  const [link = "", port] = /http:\/\/127\.0\.0\.1:(\d+)\/\S*/.exec(out) ?? [];
  return {
    port: Number(port),
    link,
    printed: () => out,
    async stop() {
      end.abort();
      return await running;
    },
  };
}

/** Opens a link as a browser does. Gives the cookie. */
async function open(link: string): Promise<string> {
  const response = await fetch(link, { redirect: "manual" });
  await response.body?.cancel();
  assert.equal(response.status, 303, link);
  return (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
}

const run = (session: Session, ...args: string[]) =>
  session.runWith({ clock: systemClock, fetch }, ...args);

Deno.test("web prints a link that opens the page once, and ends well at Ctrl-C", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const web = await start(session, ["--port", "0"]);
    const cookie = await open(web.link);
    const page = await fetch(`http://127.0.0.1:${web.port}/`, { headers: { cookie } });
    assert.equal(page.status, 200);
    assert.match(await page.text(), /data-account="/);
    const again = await fetch(web.link);
    assert.equal(again.status, 401);
    await again.body?.cancel();
    const { code, err } = await web.stop();
    assert.deepEqual([code, err], [0, ""]);
    await assert.rejects(fetch(`http://127.0.0.1:${web.port}/`));
  }));

Deno.test("the link is the first address that is printed, alone on its line, and no browser is opened without a terminal", () =>
  withSession(async (session) => {
    const opened: string[] = [];
    const openBrowser = (url: string) => (opened.push(url), Promise.resolve(true));
    const web = await start(session, ["--port", "0"], { openBrowser });
    assert.match(web.printed(), new RegExp(`^[^:/]*:\n\n${web.link.replaceAll(".", "\\.")}\n`));
    await web.stop();
    assert.deepEqual(opened, []);
    const asked = await start(session, ["--port", "0", "--open"], { openBrowser });
    await asked.stop();
    assert.deepEqual(opened, [asked.link]);
  }));

Deno.test("web --url prints a fresh link for the dashboard that runs; the key is the owner's alone and goes with it", () =>
  withSession(async (session) => {
    const web = await start(session, ["--port", "0"]);
    const file = join(session.folder, `dashboard-${web.port}.json`);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(session.folder).mode & 0o777, 0o700);
    const first = await run(session, "web", "--url", "--port", String(web.port));
    const second = await run(session, "web", "--url", "--port", String(web.port));
    assert.equal(first.code, 0, first.err);
    assert.match(first.out, /^http:\/\/127\.0\.0\.1:\d+\/open\/\S+\n$/);
    assert.notEqual(first.out, second.out);
    const json = await run(session, "web", "--url", "--port", String(web.port), "--json");
    assert.equal(JSON.parse(json.out).port, web.port);
    assert.match(JSON.parse(json.out).link, /\/open\//);
    assert.notEqual(await open(first.out.trim()), await open(second.out.trim()));
    await web.stop();
    assert.equal(existsSync(file), false);
    const none = await run(session, "web", "--url", "--port", String(web.port));
    assert.equal(none.code, 1);
    assert.match(none.err, /No dashboard of yours runs on port/);
  }));

Deno.test("web --url gives no link to a stranger that listens where a dashboard has crashed", () =>
  withSession(async (session) => {
    const web = await start(session, ["--port", "0"]);
    const file = join(session.folder, `dashboard-${web.port}.json`);
    const left = readFileSync(file, "utf8");
    await web.stop();
    const seen: string[] = [];
    const stranger = createServer((request, response) => {
      seen.push(request.url ?? "");
      response.end("A".repeat(43));
    });
    await new Promise<void>((resolve) => stranger.listen(web.port, "127.0.0.1", resolve));
    writeFileSync(file, left);
    const { code, out } = await run(session, "web", "--url", "--port", String(web.port));
    assert.deepEqual([code, out], [1, ""]);
    assert.ok(seen.every((path) => path.startsWith("/proof/")), seen.join());
    await new Promise((resolve) => stranger.close(resolve));
  }));

Deno.test("port in use: by our own dashboard, which is named with the way to it", () =>
  withSession(async (session) => {
    const web = await start(session, ["--port", "0"]);
    const { code, err, out } = await run(session, "web", "--port", String(web.port));
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /runs on port \d+ already \(pid \d+\)\. A link for it: .*web --url --port/);
    assert.equal(err.trim().split("\n").length, 1);
    // The one that runs is not disturbed.
    assert.equal((await run(session, "web", "--url", "--port", String(web.port))).code, 0);
    await web.stop();
  }));

Deno.test("port in use: by another program, which is named, with another port", () =>
  withSession(async (session) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const { code, err } = await run(session, "web", "--port", String(port));
    assert.equal(code, 1);
    if (Deno.build.os === "linux") assert.match(err, new RegExp(`in use by .*pid ${Deno.pid}`));
    assert.match(err, /Take another one: opencode-multi-auth web --port \d+/);
    const asked: string[] = [];
    const web = await start(
      session,
      ["--port", String(port)],
      atTerminal({ confirms: [true], asked }),
    );
    assert.match(asked.join(), /Use port \d+ instead\?/);
    assert.notEqual(web.port, port);
    await open(web.link);
    await web.stop();
    await new Promise((resolve) => other.close(resolve));
  }));

for (const host of ["0.0.0.0", "::", "192.168.1.2", "example.com"]) {
  Deno.test(`web --host ${host} is refused with the reason, and nothing is made`, () =>
    withSession(async (session) => {
      const { code, err, out } = await run(session, "web", "--port", "0", "--host", host);
      assert.notEqual(code, 0);
      assert.equal(out, "");
      assert.match(err, /^Error: --host .* is refused: .*ssh -L/);
      assert.deepEqual(readdirSync(session.home), []);
    }));
}

for (const port of ["x", "-1", "65536", "1.5", ""]) {
  Deno.test(`web --port "${port}" is not a port`, () =>
    withSession(async (session) => {
      const { code, err } = await run(session, "web", `--port=${port}`);
      assert.notEqual(code, 0);
      assert.match(err, /is not a port|argument missing/);
    }));
}

Deno.test("web on a locked store shows that it is locked", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    const web = await start(session, ["--port", "0"]);
    const cookie = await open(web.link);
    const page = await fetch(`http://127.0.0.1:${web.port}/`, { headers: { cookie } });
    assert.match(await page.text(), /locked/);
    assert.equal((await web.stop()).code, 0);
  }));

Deno.test("nothing of the link, the key or the cookie is in the log or in another file", () =>
  withSession(async (session) => {
    const web = await start(session, ["--port", "0"]);
    const cookie = await open(web.link);
    const file = join(session.folder, `dashboard-${web.port}.json`);
    const { key } = JSON.parse(readFileSync(file, "utf8"));
    await web.stop();
    const secrets = [key, cookie.split("=")[1] ?? "?", web.link.split("/open/")[1] ?? "?"];
    for (const [path, content] of Object.entries(session.files())) {
      const text = atob(content === "folder" ? "" : content);
      for (const secret of secrets) assert.ok(!text.includes(secret), path);
    }
  }));
