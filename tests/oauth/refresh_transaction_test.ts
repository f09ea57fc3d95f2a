import assert from "node:assert/strict";
import { finish, MINUTE, renewed, setUp } from "./refresh_scene.ts";

Deno.test("the new tokens are saved before they are used, and a note is on disk before the request leaves", async () => {
  const { refresher, account, store, clock } = setUp();
  const outcome = await finish(clock, refresher.refresh(account, false));
  assert.equal(outcome.kind, "fresh");
  assert.deepEqual(store.journal, ["begin id-a 1", "send id-a", "save id-a 2", "end id-a"]);
});

Deno.test("10 concurrent requests, one expiring token", async () => {
  const { refresher, account, sent, clock } = setUp();
  const all = Promise.all(Array.from({ length: 10 }, () => refresher.refresh(account, false)));
  await clock.advance(10_000);
  const outcomes = await all;
  assert.deepEqual(sent, ["refresh-a"]);
  assert.ok(outcomes.every((outcome) => outcome.kind === "fresh"));
});

Deno.test("two processes, one expired token: the second adopts the first one's tokens", async () => {
  const { refresher, make, account, sent, clock, store } = setUp();
  const other = make();
  const first = refresher.refresh(account, false);
  const second = other.refresh(account, false);
  store.touch();
  const [a, b] = [await finish(clock, first), await finish(clock, second)];
  assert.deepEqual(sent, ["refresh-a"]);
  assert.equal(a.kind, "fresh");
  assert.equal(b.kind === "fresh" && b.account.generation, 2);
});

Deno.test("refresh burst over sibling accounts: one lane per machine, jitter", async () => {
  const starts: number[] = [];
  let running = 0;
  const { make, clock, store } = setUp({
    accounts: ["a", "b", "c", "d"],
    answer: async (account) => {
      starts.push(clock.now());
      assert.equal(++running, 1, "two refreshes at once");
      await Promise.resolve();
      running--;
      return renewed(account, clock.now() + 240 * MINUTE);
    },
  });
  const all = store.accounts.map((account) => make().refresh(account, false));
  await Promise.all(all.map((one) => finish(clock, one)));
  assert.equal(starts.length, 4);
  for (let n = 1; n < starts.length; n++) {
    const gap = (starts[n] ?? 0) - (starts[n - 1] ?? 0);
    assert.ok(gap >= 500, `only ${gap} ms between two refreshes`);
  }
});

Deno.test("a refresh that was cut off by a crash is never sent again", async () => {
  const { refresher, account, store, sent, clock } = setUp();
  await store.beginRefresh(account.id, account.generation);
  const outcome = await finish(clock, refresher.refresh(account, false));
  assert.deepEqual(sent, []);
  assert.equal(outcome.kind, "set aside");
  assert.equal(store.accounts[0]?.setAside?.reason, "needs login (refresh interrupted)");
});

Deno.test("after a cut-off refresh the account goes on while its access token lives", async () => {
  const { refresher, account, store, sent, clock } = setUp({ expiresIn: 2 * MINUTE });
  await store.beginRefresh(account.id, account.generation);
  assert.equal((await finish(clock, refresher.refresh(account, false))).kind, "kept");
  assert.deepEqual(sent, []);
  assert.equal(store.accounts[0]?.setAside, undefined);
});

Deno.test("no answer: the token may be consumed and is not sent again", async () => {
  const { refresher, account, store, sent, clock } = setUp({ answer: () => ({ kind: "unknown" }) });
  assert.equal((await finish(clock, refresher.refresh(account, false))).kind, "set aside");
  const marked = store.accounts[0]!;
  await finish(clock, refresher.refresh({ ...marked, setAside: undefined } as never, false));
  assert.deepEqual(sent, ["refresh-a"]);
});

Deno.test("the request never left: it is simply tried again", async () => {
  let calls = 0;
  const { refresher, account, store, clock } = setUp({
    answer: (account) =>
      calls++ === 0
        ? { kind: "not sent", cause: "ECONNREFUSED" }
        : renewed(account, clock.now() + 240 * MINUTE),
  });
  assert.equal((await finish(clock, refresher.refresh(account, false))).kind, "failed");
  assert.equal(store.open.size, 0);
  await clock.advance(20_000);
  assert.equal((await finish(clock, refresher.refresh(account, false))).kind, "fresh");
});

Deno.test("a transient error is not repeated in a storm", async () => {
  const { refresher, account, sent, clock } = setUp({
    answer: () => ({ kind: "transient", code: "http_503" }),
  });
  await finish(clock, refresher.refresh(account, false));
  for (let n = 0; n < 5; n++) await finish(clock, refresher.refresh(account, false));
  assert.deepEqual(sent, ["refresh-a"]);
});

Deno.test("a failed early refresh never discards an access token that is still valid", async () => {
  for (const answer of ["permanent", "transient", "unknown"] as const) {
    const { refresher, account, store, sent, clock } = setUp({
      expiresIn: 2 * MINUTE,
      answer: () => answer === "unknown" ? { kind: answer } : { kind: answer, code: "x" },
    });
    const outcome = await finish(clock, refresher.refresh(account, false));
    assert.equal(outcome.kind, "kept", answer);
    assert.equal(store.accounts[0]?.setAside, undefined, answer);
    if (answer !== "transient") {
      await clock.advance(30_000);
      await finish(clock, refresher.refresh(account, false));
      assert.equal(sent.length, 1, `${answer}: a token that is spent was sent again`);
    }
  }
});

Deno.test("a permanent error sets the account aside, tokens kept", async () => {
  const { refresher, account, store, notices, clock } = setUp({
    answer: () => ({ kind: "permanent", code: "refresh_token_expired" }),
  });
  assert.equal((await finish(clock, refresher.refresh(account, false))).kind, "set aside");
  assert.equal(store.accounts[0]?.setAside?.reason, "needs login");
  assert.equal(store.accounts[0]?.credentials.refreshToken, "refresh-a");
  assert.equal(notices.length, 1);
});

Deno.test("a refresh token that was refused is not sent again, and needs login as soon as its access token ends", async () => {
  const { make, account, store, sent, notices, clock } = setUp({
    expiresIn: 2 * MINUTE,
    answer: () => ({ kind: "permanent", code: "invalid_grant" }),
  });
  assert.equal((await finish(clock, make().refresh(account, false))).kind, "kept");
  assert.match(notices.join(), /a is refused new tokens .* opencode-multi-auth add a/);
  await clock.advance(3 * MINUTE);
  // Another process, which has not seen the refusal itself.
  assert.equal((await finish(clock, make().refresh(account, false))).kind, "set aside");
  assert.equal(store.accounts[0]?.setAside?.reason, "needs login");
  assert.deepEqual(sent, ["refresh-a"]);
});

Deno.test("a refusal is on disk before the account is set aside: what fails in between sends nothing again", async () => {
  const { make, account, store, sent, clock } = setUp({
    answer: () => ({ kind: "permanent", code: "invalid_grant" }),
  });
  const { edit } = store;
  store.edit = () => Promise.reject(new Error("ENOSPC"));
  assert.equal((await finish(clock, make().refresh(account, false))).kind, "failed");
  store.edit = edit;
  assert.equal((await finish(clock, make().refresh(account, false))).kind, "set aside");
  assert.equal(store.accounts[0]?.setAside?.reason, "needs login");
  assert.deepEqual(sent, ["refresh-a"]);
});

Deno.test("`refresh_token_reused` although somebody else has refreshed meanwhile", async () => {
  const { refresher, account, store, clock } = setUp({
    answer: async (account) => {
      await store.swapCredentials(account.id, 1, {
        accessToken: "winner",
        refreshToken: "winner",
        expiresAt: clock.now() + 60 * MINUTE,
      });
      return { kind: "permanent", code: "refresh_token_reused" };
    },
  });
  const outcome = await finish(clock, refresher.refresh(account, false));
  assert.equal(outcome.kind === "fresh" && outcome.account.credentials.accessToken, "winner");
  assert.equal(store.accounts[0]?.setAside, undefined);
});

Deno.test("tokens that somebody else holds are adopted without an exchange", async () => {
  const { make, account, sent, clock } = setUp();
  const refresher = make(() =>
    Promise.resolve({
      accessToken: "cli",
      refreshToken: "cli",
      expiresAt: clock.now() + 60 * MINUTE,
    })
  );
  const outcome = await finish(clock, refresher.refresh(account, false));
  assert.equal(outcome.kind === "fresh" && outcome.account.credentials.accessToken, "cli");
  assert.deepEqual(sent, []);
});

Deno.test("refresh answer arrives, disk is full", async () => {
  const { refresher, account, store, notices, sent, clock } = setUp();
  store.failing = new Error("ENOSPC: no space left on device");
  const outcome = await finish(clock, refresher.refresh(account, false));
  assert.equal(outcome.kind === "fresh" && outcome.account.credentials.accessToken, "access-a-2");
  assert.equal(outcome.kind === "fresh" && outcome.account.generation, 2);
  assert.equal(store.accounts[0]?.generation, 1, "the old state stays whole");
  assert.equal(notices.length, 1, "the person is told");
  await clock.advance(5_000);
  store.failing = undefined;
  await clock.advance(60_000);
  assert.equal(store.accounts[0]?.credentials.accessToken, "access-a-2");
  assert.equal(store.open.size, 0);
  assert.deepEqual(sent, ["refresh-a"]);
});

Deno.test("an account removed meanwhile is not refreshed", async () => {
  const { refresher, account, store, sent, clock } = setUp();
  await store.remove(account.id);
  assert.equal((await finish(clock, refresher.refresh(account, false))).kind, "gone");
  assert.deepEqual(sent, []);
});

Deno.test("a lane whose holder died is free again after its lease", async () => {
  const { refresher, account, store, clock } = setUp();
  await store.lease("refresh", 60_000);
  const outcome = refresher.refresh(account, false);
  await clock.advance(59_000);
  assert.deepEqual(store.journal, []);
  assert.equal((await finish(clock, outcome)).kind, "fresh");
});
