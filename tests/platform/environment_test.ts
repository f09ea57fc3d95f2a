import assert from "node:assert/strict";
import fc from "fast-check";
import { formatDuration, parseDuration } from "../../src/platform/duration.ts";
import { resolveEndpoints } from "../../src/platform/endpoints.ts";
import { errorCode, Failure, messageOf } from "../../src/platform/failure.ts";
import { homeFolder, resolvePaths } from "../../src/platform/paths.ts";

Deno.test("the store folder: its own variable, else XDG, else the home", () => {
  const folder = (env: Record<string, string>) => resolvePaths(env, "/home/dev").folder;
  assert.equal(folder({}), "/home/dev/.config/opencode-multi-auth");
  assert.equal(folder({ XDG_CONFIG_HOME: "/x" }), "/x/opencode-multi-auth");
  assert.equal(folder({ XDG_CONFIG_HOME: "/x", OPENCODE_MULTI_AUTH_STORE_DIR: "/own" }), "/own");
  assert.equal(
    folder({ OPENCODE_MULTI_AUTH_STORE_DIR: "  " }),
    "/home/dev/.config/opencode-multi-auth",
  );
  assert.equal(resolvePaths({ CODEX_SOFT_LOG_PATH: "/l.log" }, "/h").log, "/l.log");
});

Deno.test("a user without a home folder is told what to set, and needs none where it is set", () => {
  const nobody = () => {
    throw new Error("uv_os_get_passwd returned ENOENT");
  };
  assert.equal(homeFolder({ HOME: "/h" }, [nobody]), "/h");
  assert.equal(homeFolder({ HOME: "" }, [() => "", () => "/by/name"]), "/by/name");
  assert.equal(homeFolder({}, [nobody, () => "/by/name"]), "/by/name");
  assert.throws(() => homeFolder({ HOME: " " }, [nobody, nobody]), {
    name: "Failure",
    message: "This user has no home folder. Set HOME, or OPENCODE_MULTI_AUTH_STORE_DIR to the " +
      "folder that is to hold the accounts.",
  });
});

Deno.test("both overrides are accepted only as https, or as http to a loopback address", () => {
  for (
    const url of [
      "https://proxy.example/base/",
      "http://127.0.0.1:8080",
      "http://127.8.9.1",
      "http://localhost:1",
      "http://[::1]:9/x",
    ]
  ) {
    const { issuer, backend } = resolveEndpoints({
      OPENCODE_MULTI_AUTH_ISSUER_URL: url,
      OPENCODE_MULTI_AUTH_BACKEND_URL: url,
    });
    assert.equal(issuer, url.replace(/\/$/, ""));
    assert.equal(backend, issuer);
  }
  for (
    const url of [
      "http://example.com",
      "http://127.0.0.1.evil.example",
      "http://localhost.evil.example",
      "http://1270.0.0.1",
      "ftp://127.0.0.1",
      "file:///etc",
      "https://user:pw@proxy.example",
      "chatgpt.com",
      "http://10.0.0.1",
    ]
  ) {
    for (const name of ["OPENCODE_MULTI_AUTH_ISSUER_URL", "OPENCODE_MULTI_AUTH_BACKEND_URL"]) {
      assert.throws(() => resolveEndpoints({ [name]: url }), (error) => {
        assert.ok(error instanceof Failure);
        assert.ok(error.message.includes(name));
        assert.ok(!error.message.includes("pw"));
        return true;
      }, url);
    }
  }
  assert.deepEqual(resolveEndpoints({}), {
    issuer: "https://auth.openai.com",
    backend: "https://chatgpt.com/backend-api",
  });
});

Deno.test("spans of time are read and written as people write them", () => {
  for (
    const [text, ms] of [
      ["90s", 90_000],
      ["2h", 7_200_000],
      ["1h30m", 5_400_000],
      ["1.5d", 129_600_000],
      ["500ms", 500],
      [" 1W ", 604_800_000],
    ] as const
  ) assert.equal(parseDuration(text), ms, text);
  for (const text of ["", "h", "5", "-1h", "2 h", "1y", "0s", "1h foo", "∞h"]) {
    assert.equal(parseDuration(text), undefined, text);
  }
  assert.deepEqual(
    [0, 1, 59_001, 3_600_000, 7_260_000, 86_400_000, 90_000_000].map(formatDuration),
    [
      "now",
      "1s",
      "1m",
      "1h",
      "2h 1m",
      "1d",
      "1d 1h",
    ],
  );
  fc.assert(fc.property(fc.integer({ min: 1, max: 10 ** 10 }), (ms) => {
    const parsed = parseDuration(formatDuration(ms).replace(" ", ""));
    assert.ok(parsed !== undefined && parsed >= ms && parsed <= ms + 3_660_000);
  }));
});

Deno.test("errors become one line, and codes are found behind causes", () => {
  assert.equal(messageOf(new Error("a\n  b")), "a b");
  assert.equal(messageOf("text"), "text");
  const inner = Object.assign(new Error("x"), { code: "ECONNRESET" });
  assert.equal(errorCode(new TypeError("fetch failed", { cause: inner })), "ECONNRESET");
  assert.equal(errorCode(new Error("none")), undefined);
});
