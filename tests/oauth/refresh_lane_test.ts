import assert from "node:assert/strict";
import type { RefreshOutcome } from "../../src/oauth/refresh_transaction.ts";
import { finish, MINUTE, renewed, setUp } from "./refresh_scene.ts";

const SECOND = 1_000;

/** Notes what a refresh came to, without waiting for it. */
function watch(outcome: Promise<RefreshOutcome>) {
  let seen: RefreshOutcome | undefined;
  outcome.then((one) => seen = one);
  return () => seen;
}

Deno.test("who waits for the lane takes over what another process has renewed, without its turn", async () => {
  const { make, account, clock, store, sent } = setUp({
    answer: async (account) => {
      await new Promise<void>((resolve) => clock.after(3 * SECOND, resolve));
      return renewed(account, clock.now() + 240 * MINUTE);
    },
  });
  watch(make().refresh(account, false));
  const second = watch(make().refresh(account, false));
  await clock.advance(SECOND);
  store.touch();
  await clock.advance(SECOND);
  assert.equal(second(), undefined, "a change that renews nothing is none");
  await clock.advance(SECOND);
  store.touch();
  await clock.advance(130);
  assert.equal(second()?.kind, "fresh", "before the pause of the lane is over");
  assert.deepEqual(sent, ["refresh-a"]);
});

Deno.test("who waits 90 s for the lane gives up for a while", async () => {
  const { refresher, account, clock, store, sent } = setUp();
  await store.lease("refresh", 10 * MINUTE);
  const waiting = watch(refresher.refresh(account, false));
  await clock.advance(89 * SECOND);
  assert.equal(waiting(), undefined);
  await clock.advance(1_200);
  const outcome = waiting();
  assert.ok(outcome?.kind === "failed");
  assert.ok(outcome.retryAt > clock.now() + 13 * SECOND && outcome.retryAt <= clock.now() + 15_000);
  assert.deepEqual(sent, []);
});

Deno.test("a store that cannot be written stops no token that lives, says why, and says it once", async () => {
  for (const [expiresIn, kind] of [[SECOND, "kept"], [-SECOND, "failed"]] as const) {
    const { refresher, account, clock, store, sent, notices } = setUp({ expiresIn });
    for (const step of ["lease", "beginRefresh"] as const) {
      const fails = () => Promise.reject(new Error("state.db cannot be written. Free some space."));
      Object.assign(store, { [step]: fails });
      for (let n = 0; n < 2; n++) {
        const outcome = await finish(clock, refresher.refresh(account, false));
        assert.equal(outcome.kind, kind);
        assert.match(
          "why" in outcome ? outcome.why ?? "" : "",
          /^state\.db cannot be written\. Free/,
        );
      }
      Reflect.deleteProperty(store, step);
    }
    assert.equal(notices.length, 1);
    assert.match(notices[0] ?? "", /state\.db cannot be written/);
    assert.deepEqual(sent, []);
  }
});

Deno.test("who waits in vain for the lane goes on with a token that lives", async () => {
  const { refresher, account, clock, store } = setUp({ expiresIn: 4 * MINUTE });
  await store.lease("refresh", 10 * MINUTE);
  assert.equal((await finish(clock, refresher.refresh(account, false))).kind, "kept");
});

Deno.test("a lane whose holder hangs is free after 60 s", async () => {
  const { make, store, clock, sent } = setUp({
    accounts: ["a", "b"],
    answer: (account) =>
      account.alias === "a" ? new Promise(() => {}) : renewed(account, clock.now() + 240 * MINUTE),
  });
  const [a, b] = store.accounts;
  watch(make().refresh(a!, false));
  await clock.advance(0);
  watch(make().refresh(b!, false));
  await clock.advance(59 * SECOND);
  assert.deepEqual(sent, ["refresh-a"]);
  await clock.advance(1_200);
  assert.deepEqual(sent, ["refresh-a", "refresh-b"]);
});

Deno.test("the pause of the lane is half of the gap to the whole of it", async () => {
  const { make, store, clock } = setUp({ accounts: ["a", "b"] });
  const [a, b] = store.accounts;
  await finish(clock, make().refresh(a!, false));
  const done = clock.now();
  const second = watch(make().refresh(b!, false));
  while (!second()) await clock.advance(10);
  const gap = clock.now() - done;
  assert.ok(gap >= 650 && gap <= 900, `${gap} ms of 1,000, at a random of 0.5`);
});

Deno.test("callers that ask at once share one exchange, a failed one too", async () => {
  const { refresher, account, clock, sent } = setUp({
    answer: () => ({ kind: "transient", code: "http_503" }),
  });
  const all = [1, 2, 3].map(() => refresher.refresh(account, false));
  for (const one of all) await finish(clock, one);
  assert.deepEqual(sent, ["refresh-a"]);
});

Deno.test("the issuer's own wait is kept, then it is asked again", async () => {
  const { refresher, account, clock, sent } = setUp({
    expiresIn: 4 * MINUTE,
    answer: () => ({ kind: "transient", code: "http_429", retryAfterMs: 90 * SECOND }),
  });
  const at = clock.now() + 90 * SECOND;
  const refused = await finish(clock, refresher.refresh(account, true));
  assert.ok(refused.kind === "failed" && Math.abs(refused.retryAt - at) < SECOND);
  assert.equal((await refresher.refresh(account, false)).kind, "kept", "its token lives");
  assert.equal((await refresher.refresh(account, true)).kind, "failed", "unless it was refused");
  await clock.advance(88 * SECOND);
  await refresher.refresh(account, false);
  assert.equal(sent.length, 1);
  await clock.advance(3 * SECOND);
  await finish(clock, refresher.refresh(account, false));
  assert.equal(sent.length, 2);
});

Deno.test("a failed refresh without a word on when is tried again after 15 s", async () => {
  const { refresher, account, clock } = setUp({
    answer: () => ({ kind: "not sent", cause: "ECONNREFUSED" }),
  });
  const before = clock.now();
  const outcome = await finish(clock, refresher.refresh(account, false));
  assert.ok(outcome.kind === "failed");
  assert.ok(outcome.retryAt >= before + 15_000 && outcome.retryAt <= before + 16_000);
});

Deno.test("what the new tokens say about the person is saved, what they leave out stays", async () => {
  const identity = { workspaceId: "w2", userId: "u2" };
  for (const more of [{ identity, email: "new@example.test", plan: "pro" }, {}]) {
    const { refresher, account, clock, store } = setUp({
      answer: (account) => ({
        ...renewed(account, clock.now() + 240 * MINUTE) as
          & { kind: "renewed" }
          & ReturnType<
            typeof renewed
          >,
        ...more,
      } as ReturnType<typeof renewed>),
    });
    await finish(clock, refresher.refresh(account, false));
    const { identity: saved, email, plan } = store.accounts[0]!;
    assert.deepEqual(
      { identity: saved, email, plan },
      { identity: account.identity, email: account.email, plan: undefined, ...more },
    );
  }
});

for (const kind of ["renewed", "permanent", "unknown"] as const) {
  Deno.test(`an account that is removed during its refresh is gone: ${kind}`, async () => {
    const { refresher, account, clock, store, notices } = setUp({
      answer: async (account) => {
        await store.remove(account.id);
        if (kind === "renewed") return renewed(account, clock.now() + 240 * MINUTE);
        return kind === "unknown" ? { kind } : { kind, code: "refresh_token_expired" };
      },
    });
    assert.equal((await finish(clock, refresher.refresh(account, true))).kind, "gone");
    assert.deepEqual([store.accounts, notices], [[], []]);
  });

  Deno.test(`somebody else's newer tokens win over our outcome: ${kind}`, async () => {
    const winner = { accessToken: "w", refreshToken: "w", expiresAt: Date.UTC(2100, 0) };
    const { refresher, account, clock, store } = setUp({
      answer: async (account) => {
        await store.swapCredentials(account.id, 1, winner);
        if (kind === "renewed") return renewed(account, clock.now() + 240 * MINUTE);
        return kind === "unknown" ? { kind } : { kind, code: "refresh_token_expired" };
      },
    });
    const outcome = await finish(clock, refresher.refresh(account, true));
    assert.equal(outcome.kind === "fresh" && outcome.account.credentials.accessToken, "w");
    assert.equal(store.accounts[0]?.setAside, undefined);
  });
}

Deno.test("a refused token's note is taken back with the account set aside: a new login starts clean", async () => {
  const { refresher, account, clock, store } = setUp({
    answer: () => ({ kind: "permanent", code: "refresh_token_expired" }),
  });
  await finish(clock, refresher.refresh(account, false));
  assert.equal(store.open.size, 0);
});

Deno.test("an account that is set aside is not refreshed", async () => {
  const { refresher, account, clock, store, sent } = setUp();
  await store.edit(account.id, (one) => ({ ...one, setAside: { at: 0, reason: "needs login" } }));
  assert.equal((await finish(clock, refresher.refresh(account, false))).kind, "set aside");
  assert.deepEqual(sent, []);
});

Deno.test("a token that ends now is dead", async () => {
  const { refresher, account, clock, store } = setUp({ expiresIn: 0 });
  await store.beginRefresh(account.id, account.generation);
  assert.equal((await finish(clock, refresher.refresh(account, false))).kind, "set aside");
});

Deno.test("tokens from elsewhere that have ended too are the ones to renew, not those they replaced", async () => {
  const { make, account, clock, sent } = setUp();
  const refresher = make(() =>
    Promise.resolve({ accessToken: "x", refreshToken: "x", expiresAt: clock.now() })
  );
  await finish(clock, refresher.refresh(account, false));
  assert.deepEqual(sent, ["x"]);
});

Deno.test("an account that was removed and added again is taken as it is, not renewed and not set aside", async () => {
  for (const rejected of [false, true]) {
    const { refresher, account, store, clock, sent } = setUp();
    const old = { ...account, generation: 5, addedAt: 1 };
    store.accounts = [{ ...account, generation: 1, addedAt: 2 }];
    const outcome = await finish(clock, refresher.refresh(old, rejected));
    assert.equal(outcome.kind === "fresh" && outcome.account.addedAt, 2);
    assert.deepEqual(sent, []);
  }
});

Deno.test("tokens that this process alone has are the ones to renew, also where the file's are spent", async () => {
  const { refresher, account, store, clock, sent } = setUp();
  const credentials = { ...account.credentials, refreshToken: "refresh-newest" };
  // As after the restore of an old backup, whose token another process has found to be spent.
  await store.refuseRefresh(account);
  await store.edit(account.id, (one) => ({ ...one, setAside: { at: 0, reason: "needs login" } }));
  const outcome = await finish(
    clock,
    refresher.refresh({ ...account, generation: 4, credentials }, false),
  );
  assert.equal(outcome.kind === "fresh" && outcome.account.generation, 5);
  assert.deepEqual(sent, ["refresh-newest"]);
});

Deno.test("tokens that this process alone has and that are refused are not sent again", async () => {
  const { refresher, account, clock, sent } = setUp({
    answer: () => ({ kind: "permanent", code: "invalid_grant" }),
  });
  const mine = { ...account, generation: 4 };
  const outcome = await finish(clock, refresher.refresh(mine, false));
  // The pool takes it in the place of what it had.
  assert.equal(outcome.kind === "set aside" && outcome.account.generation, 4);
  assert.equal(outcome.kind === "set aside" && outcome.account.setAside?.reason, "needs login");
  assert.deepEqual(sent, ["refresh-a"]);
});

Deno.test("settled waits for what is under way", async () => {
  const { refresher, account, clock } = setUp({
    answer: async (account) => {
      await new Promise<void>((resolve) => clock.after(SECOND, resolve));
      return renewed(account, clock.now() + 240 * MINUTE);
    },
  });
  watch(refresher.refresh(account, false));
  let settled = false;
  refresher.settled().then(() => settled = true);
  await clock.advance(999);
  assert.equal(settled, false);
  await clock.advance(1);
  assert.equal(settled, true);
});
