import assert from "node:assert/strict";
import { startNtfy, withStubs } from "../notify/stubs.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { withSession } from "./session.ts";

const TOKEN = "tk_averysecrettoken";

Deno.test("notify shows the channels, why each is off, and what is told", async () => {
  await withSession(async ({ home, run, runWith }) => {
    const nothing = await run("notify");
    assert.equal(nothing.code, 0);
    assert.match(nothing.out, /^Notifications: on\nAbout: idle, retry, .* usage \(80 and 95 %\)\n/);
    assert.match(nothing.out, /ntfy +off +no topic is set: config set notifyNtfyUrl/);
    assert.deepEqual((await run("notify", "status")).out, nothing.out);
    assert.deepEqual(nothing.out.split("\n").filter((line) => line.length > 80), []);
    const env = {
      HOME: home,
      OPENCODE_MULTI_AUTH_NOTIFY: "0",
      OPENCODE_MULTI_AUTH_NOTIFY_NTFY_URL: "https://ntfy.example/topic/",
      OPENCODE_MULTI_AUTH_NOTIFY_NTFY_TOKEN: TOKEN,
      OPENCODE_MULTI_AUTH_NOTIFY_UI_BASE_URL: "https://oc.example/",
    };
    const { out } = await runWith({ env }, "notify", "status", "--json");
    const shown = JSON.parse(out);
    assert.equal(shown.notify, false);
    assert.equal(shown.uiBaseUrl, "https://oc.example");
    assert.deepEqual(shown.channels[0], {
      name: "ntfy",
      active: true,
      about: "ntfy.example, with a token",
    });
    assert.ok(!out.includes(TOKEN));
  });
});

Deno.test("notify test sends over each channel that is there and says what came of it", async () => {
  await withStubs(["notify-send"], async ({ folder, calls }) => {
    await using server = startNtfy((index) => index === 0 ? 200 : 403);
    await withSession(async ({ home, runWith }) => {
      const context = {
        env: {
          HOME: home,
          PATH: `${folder}:/usr/bin:/bin`,
          OPENCODE_MULTI_AUTH_NOTIFY: "0",
          OPENCODE_MULTI_AUTH_NOTIFY_NTFY_URL: server.url,
          OPENCODE_MULTI_AUTH_NOTIFY_NTFY_TOKEN: TOKEN,
        },
        clock: systemClock,
        fetch: globalThis.fetch,
      };
      const good = await runWith(context, "notify", "test");
      assert.equal(good.code, 0, good.err);
      assert.match(good.out, /ntfy +sent \(127\.0\.0\.1:\d+, with a token\)/);
      assert.match(good.out, /desktop +sent \(notify-send\)/);
      assert.match(good.out, /macOS +not there: for macOS/);
      assert.equal(server.received[0]?.headers.get("authorization"), `Bearer ${TOKEN}`);
      assert.equal(calls("notify-send")[0]?.args.at(-1), server.received[0]?.body);

      const bad = await runWith(context, "notify", "test");
      assert.equal(bad.code, 1);
      assert.match(bad.out, /ntfy +failed: the server answered 403: it wants another access token/);
      assert.match(bad.out, /desktop +sent/);
      assert.equal(bad.err, "Error: Not sent: ntfy.\n");
      assert.ok(!(good.out + bad.out + bad.err).includes(TOKEN));
    });
  });
});

Deno.test("notify test without any channel, and an unknown action, say what to do", async () => {
  await withSession(async ({ run, runWith, home }) => {
    const nobody = await runWith({ env: { HOME: home, PATH: "" } }, "notify", "test", "--json");
    assert.equal(nobody.code, 1);
    assert.match(
      nobody.err,
      /^Error: There is no channel to send over\. Set one up: .*notifyNtfyUrl/,
    );
    assert.ok(
      JSON.parse(nobody.out).channels.every(({ result }: { result: string }) =>
        result === "not there"
      ),
    );
    const unknown = await run("notify", "shout");
    assert.deepEqual([unknown.code, unknown.err], [
      2,
      'Error: There is no notify action "shout". Actions: status, test.\n',
    ]);
  });
});

Deno.test("a variable that cannot be is said, and costs that setting only", async () => {
  await withStubs(["notify-send"], async ({ folder }) => {
    await withSession(async ({ home, runWith }) => {
      const env = {
        HOME: home,
        PATH: `${folder}:/usr/bin:/bin`,
        OPENCODE_MULTI_AUTH_NOTIFY_NTFY_URL: "ntfy.example/secret",
      };
      const said =
        "Note: OPENCODE_MULTI_AUTH_NOTIFY_NTFY_URL must be the address of an ntfy topic " +
        '(https://… or http://…), or off. The standard value is "".\n';
      const test = await runWith({ env, clock: systemClock }, "notify", "test");
      assert.deepEqual([test.code, test.err], [0, said]);
      assert.match(test.out, /desktop +sent/);
      for (const argv of [["status"], ["config"], ["config", "get", "strategy"]]) {
        const { code, err, out } = await runWith({ env }, ...argv);
        assert.deepEqual([code, err], [0, said], argv.join(" "));
        assert.match(out, /round-robin/);
      }
    });
  });
});

Deno.test("notify test on macOS says what was shown without its sound, and by which program", async () => {
  await withStubs(["osascript", "terminal-notifier"], async ({ folder }) => {
    await withSession(async ({ home, runWith }) => {
      const context = {
        env: { HOME: home, PATH: folder + ":/usr/bin:/bin" },
        clock: systemClock,
        machine: { platform: "darwin" },
      };
      const { code, out } = await runWith(context, "notify", "test");
      assert.equal(code, 0);
      const said = "sent (osascript, without its sound: afplay is not on the PATH)";
      assert.ok(out.includes(`  macOS    ${said}\n`), out);
    });
  });
});
