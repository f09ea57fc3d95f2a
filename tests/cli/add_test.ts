import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fixtureIdentity } from "../simulator/simulator.ts";
import { withSession } from "./session.ts";
import {
  accounts,
  assertRefused,
  environment,
  freePort,
  openBrowser,
  untilDone,
  withPasteScene,
  withScene,
} from "./add_scene.ts";

Deno.test("add prints the address, opens the browser, waits, and stores the account", () =>
  withScene(async ({ session, simulator, add }) => {
    const opened: string[] = [];
    const ran = await add(["personal"], {
      openBrowser: (url) => {
        opened.push(url);
        return openBrowser(url);
      },
    });
    assert.equal(ran.code, 0, ran.err);
    assert.equal(ran.err, "");
    const url = ran.out.split("\n").find((line) => line.startsWith("http"));
    assert.ok(url?.startsWith(`${simulator.issuerUrl}/oauth/authorize?`));
    assert.deepEqual(opened, [url]);
    assert.match(ran.out, /^Open this URL in your browser:$/m);
    assert.match(ran.out, /^Waiting for callback on port \d+\.\.\.$/m);
    assert.match(
      ran.out,
      /^Account "personal" added successfully!\nEmail: you@personal\.example$/m,
    );
    const [account] = await accounts(session);
    assert.equal(account?.["alias"], "personal");
    assert.equal(account?.["plan"], "plus");
  }));

Deno.test("add works without a browser on this machine: the printed address is enough", () =>
  withScene(async ({ session, add }) => {
    let said = "";
    const ran = await add(["personal"], {
      openBrowser: () => Promise.resolve(false),
      write: (text) => {
        const url = text.match(/^http\S+$/m)?.[0];
        if (url !== undefined) void openBrowser(url);
        said += text;
      },
    });
    assert.equal(ran.code, 0, ran.err);
    assert.match(said, /No browser could be started here/);
    assert.equal((await accounts(session)).length, 1);
  }));

Deno.test("login is another name for add", () =>
  withSession(async (session) => {
    const ran = await session.run("login", "personal", "--device");
    assert.deepEqual(ran, await session.run("add", "personal", "--device"));
    assertRefused(ran, /auth\.openai\.com did not answer/);
  }));

Deno.test("add of an alias that exists signs it in again in place", () =>
  withScene(async ({ session, simulator, add }) => {
    session.useFixture("v1.json");
    simulator.approveNext("backup");
    const ran = await add(["backup"]);
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /Account "backup" signed in again successfully!/);
    const after = await accounts(session);
    assert.deepEqual(after.map(({ alias }) => alias), ["personal", "work", "backup"]);
    assert.equal(after[2]?.["uses"], 8);
    assert.equal(after[2]?.["blockReason"], null);
    assert.ok(Number(after[2]?.["expiresAt"]) > session.clock.now());
  }));

Deno.test("add of a disabled account leaves it disabled and says so", () =>
  withScene(async ({ session, simulator, add }) => {
    session.useFixture("v1.json");
    await session.run("disable", "backup");
    simulator.approveNext("backup");
    const ran = await add(["backup"]);
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /It stays disabled; to use it: opencode-multi-auth enable backup/);
  }));

Deno.test("add under an alias that stands for somebody else is refused and changes nothing", () =>
  withScene(async ({ session, simulator, add }) => {
    session.useFixture("v1.json");
    simulator.addPlan({ name: "stranger" });
    const before = session.files();
    simulator.approveNext("stranger");
    assertRefused(await add(["backup"]), /"backup" stands for you@backup\.example/);
    assert.deepEqual(session.files(), before);
  }));

Deno.test("add of an identity that another alias holds names that alias and changes nothing", () =>
  withScene(async ({ session, simulator, add }) => {
    session.useFixture("v1.json");
    const before = session.files();
    simulator.approveNext("work");
    assertRefused(await add(["again"]), /already stored as "work"/);
    assert.deepEqual(session.files(), before);
  }));

Deno.test("two members of one workspace and one person in two workspaces are four accounts", () =>
  withScene(async ({ session, simulator, add }) => {
    for (const name of ["mate", "side"] as const) simulator.addPlan(fixtureIdentity(name).plan);
    for (const name of ["personal", "work", "mate", "side"]) {
      simulator.approveNext(name);
      const ran = await add([name]);
      assert.equal(ran.code, 0, ran.err);
    }
    assert.deepEqual((await accounts(session)).map(({ alias }) => alias), [
      "personal",
      "work",
      "mate",
      "side",
    ]);
  }));

for (
  const alias of [
    "",
    "a b",
    "../up",
    "__proto__",
    "😀",
    "-x",
    ".hidden",
    "x".repeat(300),
    "a\u001b[2J",
  ]
) {
  Deno.test(`add refuses the alias ${JSON.stringify(alias.slice(0, 20))} with the rule, before any login`, () =>
    withScene(async ({ session, add }) => {
      const ran = await add(["--device", "--", alias], {
        fetch: () => Promise.reject(new TypeError("must not be asked")),
      });
      assertRefused(ran, /An alias has 1 to 64 characters/);
      assert.equal(ran.out, "");
      assert.ok(!ran.err.includes("\u001b"));
      assert.deepEqual(session.files(), {});
    }));
}

Deno.test("a refused login gives one line and changes nothing", () =>
  withScene(async ({ session, simulator, add }) => {
    simulator.approveNext({ refuse: "access_denied" });
    assertRefused(await add(["personal"]), /The sign-in was refused/);
    assert.deepEqual(session.files(), {});
  }));

Deno.test("an expired code gives one line and changes nothing", () =>
  withScene(async ({ session, simulator, add }) => {
    simulator.failToken({ kind: "status", status: 400, body: { error: "invalid_grant" } });
    assertRefused(await add(["personal"]), /code has expired or was used before\. Start the login/);
    assert.deepEqual(session.files(), {});
  }));

for (const way of ["--device", "--no-browser"]) {
  Deno.test(`an unreachable issuer gives one line with its address and changes nothing (${way})`, () =>
    withScene(async ({ session, add }) => {
      const issuer = `http://127.0.0.1:${await freePort()}`;
      let said = "";
      const ran = await add(["personal", way], {
        env: environment(session, issuer),
        write: (text) => void (said += text),
        readLine: () => {
          const state = new URL(said.match(/^http\S+$/m)?.[0] ?? "").searchParams.get("state");
          return Promise.resolve(`?code=anything&state=${state}`);
        },
      });
      assertRefused(ran, new RegExp(`${issuer} cannot be reached`));
      assert.deepEqual(session.files(), {});
    }));
}

Deno.test("an issuer address that tokens must not go to is refused in one line", () =>
  withScene(async ({ session, add }) => {
    const ran = await add(["personal"], { env: environment(session, "http://issuer.example") });
    assertRefused(ran, /OPENCODE_MULTI_AUTH_ISSUER_URL/);
    assert.equal(ran.out, "");
    assert.deepEqual(session.files(), {});
  }));

Deno.test("busy ports give one line that names them and changes nothing", () =>
  withScene(async ({ session, add }) => {
    const busy = createServer((_request, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => busy.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = busy.address() as AddressInfo;
      const ran = await untilDone(
        session,
        (fetch) => add(["personal"], { fetch, callbackPorts: [port] }),
      );
      assertRefused(ran, new RegExp(`port.*${port}`));
      assert.deepEqual(session.files(), {});
    } finally {
      busy.closeAllConnections();
      await new Promise((resolve) => busy.close(resolve));
    }
  }));

Deno.test("add --device shows page and code, waits, and stores the account", () =>
  withPasteScene(async ({ session, simulator, add }) => {
    simulator.device = { pendingPolls: 3 };
    const ran = await untilDone(session, (fetch) => add(["personal", "--device"], { fetch }));
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, new RegExp(`^${simulator.issuerUrl}/codex/device$`, "m"));
    assert.match(ran.out, /enter this code:\n\n\S+\n\nWaiting \(the code ends in 15m\)/);
    assert.equal((await accounts(session)).length, 1);
  }));

for (const [outcome, text] of [["deny", /refused/], ["expire", /expired/]] as const) {
  Deno.test(`add --device that ends in "${outcome}" gives one line and changes nothing`, () =>
    withPasteScene(async ({ session, simulator, add }) => {
      simulator.device = { outcome };
      const ran = await untilDone(session, (fetch) => add(["personal", "--device"], { fetch }));
      assertRefused(ran, text);
      assert.deepEqual(session.files(), {});
    }));
}

Deno.test("Ctrl-C ends a login with 130, frees the port and changes nothing", () =>
  withScene(async ({ session, simulator, add }) => {
    const interrupt = new AbortController();
    const ran = await add(["personal"], {
      signal: interrupt.signal,
      openBrowser: () => {
        interrupt.abort();
        return Promise.resolve(true);
      },
    });
    assert.deepEqual([ran.code, ran.err], [130, "Cancelled; nothing was changed.\n"]);
    assert.deepEqual(session.files(), {});
    simulator.approveNext("personal");
    assert.equal((await add(["personal"])).code, 0);
  }));

Deno.test("add --json prints the object alone; the address goes to standard error", () =>
  withScene(async ({ add }) => {
    const ran = await add(["personal", "--json"]);
    assert.equal(ran.code, 0, ran.err);
    const { ok, alias, added, email, plan } = JSON.parse(ran.out);
    assert.deepEqual({ ok, alias, added, email, plan }, {
      ok: true,
      alias: "personal",
      added: true,
      email: "you@personal.example",
      plan: "plus",
    });
    assert.match(ran.err, /^http\S+\/oauth\/authorize\?/m);
  }));

Deno.test("add says that OpenCode does not ask us while its auth.json has no openai entry", () =>
  withScene(async ({ session, simulator, add }) => {
    assert.match((await add(["personal"])).out, /To set it up: opencode-multi-auth install/);
    const { mkdirSync, writeFileSync } = await import("node:fs");
    mkdirSync(`${session.home}/.local/share/opencode`, { recursive: true });
    writeFileSync(
      `${session.home}/.local/share/opencode/auth.json`,
      '{"openai":{"type":"oauth","refresh":"opencode-multi-auth","access":"opencode-multi-auth","expires":253402214400000}}',
    );
    simulator.approveNext("work");
    assert.doesNotMatch((await add(["work"])).out, /install/);
  }));

Deno.test("no token, code or verifier is in anything that add prints", () =>
  withScene(async ({ session, add }) => {
    const bodies: string[] = [];
    const ran = await add(["personal"], {
      fetch: (input, init) => {
        bodies.push(String(init?.body ?? ""));
        return fetch(input, init);
      },
    });
    const { readFileSync } = await import("node:fs");
    const stored = JSON.parse(readFileSync(`${session.folder}/accounts.json`, "utf8"));
    const { accessToken, refreshToken, idToken } = stored.accounts.personal;
    const form = new URLSearchParams(bodies.find((body) => body.includes("code_verifier")));
    const secrets = [
      accessToken,
      refreshToken,
      idToken,
      form.get("code"),
      form.get("code_verifier"),
    ];
    for (const secret of secrets) {
      assert.ok(typeof secret === "string" && secret.length > 5);
      assert.ok(!ran.out.includes(secret) && !ran.err.includes(secret));
    }
  }));
