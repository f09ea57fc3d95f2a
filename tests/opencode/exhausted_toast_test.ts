import assert from "node:assert/strict";
import { join } from "node:path";
import type { AuthEntry } from "../../src/opencode/host.ts";
import { PLACEHOLDER_ENTRY } from "../../src/opencode/placeholder.ts";
import { server } from "../../src/opencode/server.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { testAccount } from "../memory_store.ts";
import { startSimulator } from "../simulator/simulator.ts";

const HOUR = 3_600_000;

for (
  const [settings, status, toast] of [
    [{ exhausted: "wait" }, 429, /^OpenCode waits until \S.*\. No ChatGPT account.*personal/],
    [{}, 403, /^No ChatGPT account can serve now: personal/],
  ] as const
) {
  Deno.test(`an exhausted pool is announced once in a minute: ${JSON.stringify(settings)}`, async () => {
    const home = Deno.makeTempDirSync({ prefix: "toast-" });
    const env = {
      HOME: home,
      OPENCODE_MULTI_AUTH_STORE_DIR: join(home, "store"),
    };
    const simulator = await startSimulator();
    const toasts: string[] = [];
    try {
      const store = await openLocalStore({ paths: resolvePaths(env), env });
      const plan = simulator.addPlan({ name: "personal" });
      plan.setUsed(300, 100, 2 * HOUR);
      const { expiresAt, ...tokens } = plan.issueTokens();
      await store.add(testAccount("personal", {
        credentials: { ...tokens, expiresAt },
        identity: { workspaceId: plan.workspaceId, userId: plan.userId },
      }));
      await store.close();
      Deno.writeTextFileSync(resolvePaths(env).settings, JSON.stringify(settings));
      const hooks = await server({
        client: {
          auth: { set: () => Promise.resolve() },
          tui: {
            showToast: ({ body }) => {
              toasts.push(body.message);
              return Promise.resolve();
            },
          },
        },
      }, {
        ...env,
        OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
        OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
      });
      const entry: AuthEntry = { ...PLACEHOLDER_ENTRY };
      const loaded = await hooks.auth.loader(() => Promise.resolve(entry), {});
      const ask = loaded["fetch"] as typeof fetch;
      for (let n = 0; n < 3; n++) {
        const answer = await ask("https://api.openai.com/v1/responses", {
          method: "POST",
          headers: { "content-type": "application/json", "session-id": `s${n}` },
          body: JSON.stringify({ model: "m", input: [], stream: true, store: false }),
        });
        assert.equal(answer.status, status);
        await answer.body?.cancel();
      }
      await hooks.dispose?.();
      assert.equal(toasts.length, 1);
      assert.match(toasts[0] ?? "", toast);
    } finally {
      await simulator.close();
      Deno.removeSync(home, { recursive: true });
    }
  });
}
