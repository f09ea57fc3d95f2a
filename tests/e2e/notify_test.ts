import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type NtfyServer, startNtfy, type Stubs, withStubs } from "../notify/stubs.ts";
import { cli } from "./cli.ts";
import { run } from "./opencode.ts";
import { install, makeScene, type Scene, signIn } from "./scene.ts";
import { leaks } from "./secrets.ts";

const TOKEN = "tk_averysecrettoken";

function notifying(ntfy: NtfyServer, scene: Scene, stubs: Stubs): Record<string, string> {
  return {
    PATH: `${stubs.folder}:${scene.sandbox.env["PATH"]}`,
    OPENCODE_MULTI_AUTH_NOTIFY: "1",
    OPENCODE_MULTI_AUTH_NOTIFY_NTFY_URL: ntfy.url,
    OPENCODE_MULTI_AUTH_NOTIFY_NTFY_TOKEN: TOKEN,
    OPENCODE_MULTI_AUTH_NOTIFY_UI_BASE_URL: "https://oc.example/",
  };
}

Deno.test("notifications of a real OpenCode", async (t) => {
  await using scene = await makeScene();
  await signIn(scene, "personal", "node");
  await install(scene);

  await t.step(
    "the end of `opencode run` is told once, on every channel, and nothing is printed",
    async () => {
      await withStubs(["notify-send"], async (stubs) => {
        await using ntfy = startNtfy();
        const outcome = await run(scene.sandbox, "hi", {
          env: notifying(ntfy, scene, stubs),
          limitMs: 120_000,
        });
        assert.equal(outcome.code, 0, outcome.stderr);
        assert.match(outcome.stdout, /served by personal/);
        assert.doesNotMatch(outcome.stdout + outcome.stderr, /notif|ntfy|idle/i);

        const [message] = await ntfy.arrived(1);
        assert.match(message?.body ?? "", /^Session idle: \S/);
        assert.match(
          message?.headers.get("click") ?? "",
          /^https:\/\/oc\.example\/session\/ses_[A-Za-z0-9]+$/,
        );
        assert.equal(message?.headers.get("title"), "OpenCode");
        assert.equal(message?.headers.get("authorization"), `Bearer ${TOKEN}`);
        const [call] = await stubs.called("notify-send", 1);
        assert.deepEqual(call?.args.slice(-2), ["OpenCode", message?.body]);
        assert.equal(ntfy.received.length, 1);
        assert.equal(stubs.calls("notify-send").length, 1);
        assert.ok(!JSON.stringify(call).includes(TOKEN));
        assert.deepEqual(leaks(scene.sandbox, [outcome], [TOKEN]), []);
      });
    },
  );

  await t.step("`opencode run` ends: no notification holds its exit back", async () => {
    await withStubs(["notify-send"], async (stubs) => {
      await using ntfy = startNtfy(() => "never");
      const outcome = await run(scene.sandbox, "hi", {
        env: notifying(ntfy, scene, stubs),
        limitMs: 120_000,
      });
      const endedAt = performance.now();
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.match(outcome.stdout, /served by personal/);
      const [message] = await ntfy.arrived(1);
      // Given up by its own limits, the message would have taken twice ten seconds.
      const after = Math.round(endedAt - (message?.at ?? 0));
      assert.ok(after < 20_000, `OpenCode ended ${after} ms after the notification`);
      const log = readFileSync(join(scene.sandbox.store, "logs", "codex-soft.log"), "utf8");
      assert.match(log, /notification \(idle\): ntfy was under way when OpenCode ended/);
      assert.equal(ntfy.received.length, 1);
    });
  });
});

Deno.test("`notify test` says what came of each channel, in every form of the command line", async () => {
  await withStubs(["notify-send"], async (stubs) => {
    await using scene = await makeScene();
    await using ntfy = startNtfy();
    const env = notifying(ntfy, scene, stubs);
    for (const form of ["node", "deno"] as const) {
      const outcome = await cli(scene.sandbox, ["notify", "test"], { form, env });
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.match(outcome.stdout, /ntfy +sent \(127\.0\.0\.1:\d+, with a token\)/);
      assert.match(outcome.stdout, /desktop +sent \(notify-send\)/);
      assert.match(outcome.stdout, /macOS +not there/);
    }
    assert.equal(ntfy.received.length, 2);
    assert.equal(stubs.calls("notify-send").length, 2);
  });
});
