import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { sleep, systemClock } from "../../src/platform/clock.ts";
import type { LimitAnswer } from "../../src/limits/sources.ts";
import { runs, withCodex } from "./fake_codex.ts";

const RESULT = JSON.stringify({
  rateLimits: {
    limitId: "codex",
    primary: { usedPercent: 40, windowDurationMins: 300, resetsAt: 4102444800 },
    secondary: null,
    planType: "plus",
  },
});

/** An app-server that answers each line in turn. */
const SERVER = `
read -r line; echo '{"method":"configWarning","params":{}}'; echo 'not JSON at all'
echo '{"id":1,"result":{}}'
read -r line; read -r line
echo "$line" > "$HOME/question"
echo '{"id":2,"result":${RESULT}}'
while read -r line; do :; done`;

/** An exec that leaves a rollout. */
const ROLLOUT = `
mkdir -p "$CODEX_HOME/sessions/2026/11/23"
echo '{"timestamp":"2026-11-23T10:00:00Z","type":"event_msg","payload":{"type":"token_count","rate_limits":{"primary":{"used_percent":40,"window_minutes":300,"resets_at":4102444800}}}}' \\
  > "$CODEX_HOME/sessions/2026/11/23/rollout-2026-11-23T10-00-00-x.jsonl"`;

function failure(answer: LimitAnswer): string {
  assert.equal(answer.kind, "failed", JSON.stringify(answer));
  const text = answer.kind === "failed" ? `${answer.cause} ${answer.fix}` : "";
  assert.doesNotMatch(text, /may-see|\n/);
  return text;
}

Deno.test("`codex` missing", async () => {
  await withCodex("", async ({ ask, home }) => {
    const env = { PATH: "/nowhere" };
    for (const source of ["app-server", "exec"] as const) {
      assert.match(
        failure(await ask(source, { env })),
        /^The Codex CLI \(codex\) was not found\. Install it \(npm install -g @openai\/codex@latest\)/,
      );
    }
    const named = failure(await ask("exec", { env: { CODEX_CLI_BIN: "/nowhere/codex" } }));
    assert.match(named, /^CODEX_CLI_BIN names \/nowhere\/codex, which is no program\./);
    // A folder and a file that may not be run are no programs either.
    assert.match(failure(await ask("exec", { env: { CODEX_CLI_BIN: home } })), /no program/);
    // Without a program nothing is written.
    assert.ok(!existsSync(join(home, ".codex-multi")));
  });
});

Deno.test("`codex` too old", async () => {
  const old = `echo "error: unrecognized subcommand '$1'" >&2; exit 2`;
  await withCodex(old, async ({ ask }) => {
    assert.match(
      failure(await ask("app-server")),
      /^The Codex CLI 0\.20\.0 is too old for codex app-server\. Update it \(npm install -g/,
    );
  });
  const knowsNoLimits = `read -r line; echo '{"id":1,"result":{}}'; read -r line; read -r line
    echo '{"id":2,"error":{"code":-32600,"message":"Invalid request: unknown variant"}}'; cat`;
  await withCodex(knowsNoLimits, async ({ ask }) => {
    assert.match(failure(await ask("app-server")), /too old: its app-server knows no limits/);
  });
});

for (const source of ["app-server", "exec"] as const) {
  Deno.test(`\`codex\` hangs (${source}): it and all it has started end at the time limit`, async () => {
    const mark = `97${Math.floor(Math.random() * 1e8)}`;
    await withCodex(`trap "" TERM HUP INT; sleep ${mark} & sleep ${mark}`, async ({ ask }) => {
      const begin = Date.now();
      const text = failure(await ask(source, { limitMs: 600 }));
      assert.match(text, /gave no answer within 1 s and was ended\. Look whether this machine/);
      assert.ok(Date.now() - begin < 5_000);
      assert.ok(!runs(mark), "something of it still runs");
    });
  });
}

Deno.test("`codex` waits for stdin", async () => {
  await withCodex(`cat > "$HOME/read"; echo read >> "$HOME/read"${ROLLOUT}`, async (codex) => {
    const answer = await codex.ask("exec", { limitMs: 10_000 });
    assert.equal(answer.kind, "read");
    assert.equal(codex.text("read"), "read\n");
  });
});

Deno.test("`codex` exits 1", async () => {
  await withCodex(`echo "oops: \x1b[31mno\x1b[0m Bearer abcdefgh" >&2; exit 1`, async ({ ask }) => {
    assert.match(
      failure(await ask("exec")),
      /^codex exec ended with code 1 \(oops: no Bearer \[token\]\)\. To see why: CODEX_HOME=\S+work codex exec/,
    );
    assert.match(failure(await ask("app-server")), /^codex app-server ended with code 1 \(oops/);
  });
});

Deno.test("`codex` exits 1 at a refusal whose figures are in the rollout: they count", async () => {
  await withCodex(`${ROLLOUT}; exit 1`, async ({ ask }) => {
    const answer = await ask("exec");
    assert.equal(answer.kind, "read");
  });
});

Deno.test("`codex` exits 0 without figures", async () => {
  await withCodex("exit 0", async ({ ask }) => {
    assert.match(failure(await ask("exec")), /^codex exec answered without any figures\./);
  });
});

Deno.test("`codex` writes without an end", async () => {
  await withCodex("yes", async ({ ask }) => {
    assert.match(failure(await ask("exec", { limitMs: 20_000 })), /wrote without an end/);
  });
});

Deno.test("`codex` cannot be started", async () => {
  await withCodex("", async ({ ask, home }) => {
    Deno.writeTextFileSync(join(home, "broken"), "#!/nowhere/interpreter\n", { mode: 0o755 });
    for (const bin of [join(home, "broken"), "./broken"]) {
      for (const source of ["app-server", "exec"] as const) {
        assert.match(
          failure(await ask(source, { env: { CODEX_CLI_BIN: bin } })),
          new RegExp(`^codex ${source} could not be started \\(.*broken.*Install it anew`),
        );
      }
    }
  });
});

Deno.test("app-server: each line after the answer to the one before, warnings passed over", async () => {
  await withCodex(SERVER, async ({ ask, text }) => {
    const answer = await ask("app-server");
    assert.equal(answer.kind, "read");
    if (answer.kind !== "read") return;
    assert.equal(answer.usage.windows[0]?.usedPercent, 40);
    assert.deepEqual(JSON.parse(text("question")), {
      id: 2,
      method: "account/rateLimits/read",
      params: { excludeResetCreditDetails: true },
    });
  });
});

Deno.test("app-server: one that does not leave after its answer is made to", async () => {
  const mark = `98${Math.floor(Math.random() * 1e8)}`;
  await withCodex(`${SERVER}\nsleep ${mark}`, async ({ ask }) => {
    assert.equal((await ask("app-server", { limitMs: 20_000 })).kind, "read");
    assert.ok(!runs(mark));
  });
});

Deno.test("app-server: a token that the backend refuses is told apart from other trouble", async () => {
  const refusing = (message: string) =>
    SERVER.replace(
      /echo '\{"id":2.*/,
      `echo '{"id":2,"error":{"code":-32603,"message":"${message}"}}'`,
    );
  await withCodex(
    refusing("failed to fetch codex rate limits: 401 Unauthorized"),
    async (codex) => {
      assert.equal((await codex.ask("app-server")).kind, "unauthorized");
    },
  );
  await withCodex(refusing("failed to fetch codex rate limits: 403 Forbidden"), async (codex) => {
    assert.match(failure(await codex.ask("app-server")), /got no figures \(failed to fetch.*403/);
  });
});

Deno.test("stop ends the Codex CLI and all it has started at once", async () => {
  const mark = `99${Math.floor(Math.random() * 1e8)}`;
  for (const source of ["app-server", "exec"] as const) {
    await withCodex(`touch "$HOME/began"; sleep ${mark} & sleep ${mark}`, async (codex) => {
      const stop = new AbortController();
      const answer = codex.ask(source, { signal: stop.signal });
      while (!existsSync(join(codex.home, "began"))) await sleep(systemClock, 10);
      const begin = Date.now();
      stop.abort();
      assert.match(failure(await answer), /was stopped/);
      assert.ok(Date.now() - begin < 2_000);
      assert.ok(!runs(mark), `${source}: something still runs`);
    });
  }
});

Deno.test("no token is on the command line or in the environment, and nothing else of ours is", async () => {
  const look = `printf '%s\\n' "$@" > "$HOME/args"; env > "$HOME/env"; exit 1`;
  for (const source of ["app-server", "exec"] as const) {
    await withCodex(look, async ({ ask, text, home }) => {
      await ask(source, { env: { OPENCODE_MULTI_AUTH_NOTIFY_NTFY_TOKEN: "tk_of_ntfy" } });
      assert.match(text("args"), new RegExp(`^${source}$`, "m"));
      assert.doesNotMatch(
        text("args") + text("env"),
        /may-see|the passphrase|sk-of-the|tk_of_ntfy/,
      );
      assert.ok(text("env").includes(`CODEX_HOME=${join(home, ".codex-multi", "work")}\n`));
    });
  }
});

Deno.test("exec: the rollouts of our questions do not pile up, the person's stay", async () => {
  await withCodex(ROLLOUT, async ({ ask, home }) => {
    const day = join(home, ".codex-multi", "work", "sessions", "2026", "11", "23");
    Deno.mkdirSync(day, { recursive: true });
    const theirs = join(day, "rollout-2026-11-23T09-00-00-theirs.jsonl");
    Deno.writeTextFileSync(theirs, "");
    assert.equal((await ask("exec")).kind, "read");
    assert.deepEqual([...Deno.readDirSync(day)].map(({ name }) => name), [
      "rollout-2026-11-23T09-00-00-theirs.jsonl",
    ]);
  });
});

Deno.test("exec: a session of another workspace says nothing about the account", async () => {
  const meta = `{"type":"session_meta","payload":{"creator_account_id":"workspace-other"}}`;
  const foreign = `${ROLLOUT}\necho '${meta}' | tee -a "$CODEX_HOME"/sessions/2026/11/23/rollout-*`;
  await withCodex(foreign, async ({ ask }) => {
    assert.match(failure(await ask("exec")), /without any figures/);
  });
});

Deno.test("a sealed store leaves no token in the sandbox", async () => {
  await withCodex(ROLLOUT, async ({ ask, home }) => {
    const login = join(home, ".codex-multi", "work", "auth.json");
    await ask("exec", { sealed: true });
    assert.ok(!existsSync(login));
    await ask("exec");
    assert.ok(existsSync(login));
  });
});
