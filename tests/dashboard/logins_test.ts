/** Signing in from the page, against the simulated issuer. */
import assert from "node:assert/strict";
import { type Simulator, startSimulator } from "../simulator/simulator.ts";
import { FIXTURE_NOW, VirtualClock } from "../virtual_clock.ts";
import { type Stage, type Visitor, withStage } from "./stage.ts";

async function withIssuer(
  test: (stage: Stage, simulator: Simulator, ports: number[]) => Promise<void>,
): Promise<void> {
  const ports: number[] = [1455];
  const simulator = await startSimulator({
    clock: new VirtualClock(FIXTURE_NOW),
    redirectPorts: ports,
    keepAlive: false,
  });
  simulator.addPlan({ name: "fresh", planType: "pro" });
  try {
    await withStage((stage) => test(stage, simulator, ports), {
      issuer: simulator.issuerUrl,
      fetch,
      callbackPorts: [0],
    });
  } finally {
    await simulator.close();
  }
}

const page = async (visitor: Visitor) => await (await visitor.get("/")).text();

/** The address that the page shows for the login. */
async function addressOn(visitor: Visitor): Promise<string> {
  const [, address = ""] = /href="(http[^"]+\/oauth\/authorize[^"]+)"/.exec(await page(visitor)) ??
    [];
  return address.replaceAll("&amp;", "&");
}

/** Looks at the page until it says something. */
async function until(visitor: Visitor, pattern: RegExp): Promise<string> {
  let html = "";
  for (let attempt = 0; attempt < 200; attempt++) {
    html = await page(visitor);
    if (pattern.test(html)) return html;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(
    `The page never says ${pattern}: ${/id="login"[^]*?<\/section>/.exec(html)?.[0]}`,
  );
}

async function notice(response: Response): Promise<string> {
  const { notice } = await response.json() as { notice: { kind: string; text: string } };
  return `${notice.kind}: ${notice.text}`;
}

Deno.test("add by the browser: the page shows the address, and the account when its person is back", () =>
  withIssuer(async (stage, _simulator, ports) => {
    const me = await stage.visit();
    assert.match(
      await notice(await me.script("/logins", { alias: "fresh", way: "browser" })),
      /^done: /,
    );
    const address = await addressOn(me);
    ports.push(Number(new URL(new URL(address).searchParams.get("redirect_uri") ?? "").port));
    await (await fetch(address)).body?.cancel();
    const html = await until(me, /was added/);
    assert.match(html, /data-account="fresh"/);
    // The address holds the state and the challenge: it goes with the login.
    assert.doesNotMatch(html, /code_challenge/);
  }));

Deno.test("add by a pasted address; a wrong one may be tried again", () =>
  withIssuer(async (stage) => {
    const me = await stage.visit();
    await me.script("/logins", { alias: "fresh", way: "paste" });
    const address = await addressOn(me);
    const redirect = await fetch(address, { redirect: "manual" });
    await redirect.body?.cancel();
    const end = redirect.headers.get("location") ?? "";
    const foreign = end.replace(/state=[^&]+/, "state=another");
    assert.match(
      await notice(await me.script("/logins/paste", { address: foreign })),
      /^failed: .*another login/,
    );
    const done = await me.script("/logins/paste", { address: end });
    assert.equal(done.status, 200);
    assert.match(await notice(done), /^done: fresh \(.*\) was added/);
    assert.match(await page(me), /data-account="fresh"/);
    assert.match(
      await notice(await me.script("/logins/paste", { address: end })),
      /^failed: No login waits/,
    );
  }));

Deno.test("add with a device code", () =>
  withIssuer(async (stage) => {
    const me = await stage.visit();
    assert.match(
      await notice(await me.script("/logins", { alias: "fresh", way: "device" })),
      /code/,
    );
    const { login } = { login: /id="login"[^]*?<\/section>/.exec(await page(me))?.[0] ?? "" };
    assert.match(login, /[A-Z0-9]{4}-[A-Z0-9]{4,}/);
    for (let poll = 0; poll < 20; poll++) {
      await stage.clock.advance(10_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (/was added/.test(await page(me))) break;
    }
    assert.match(await page(me), /data-account="fresh"/);
  }));

Deno.test("sign in again: in place, with the tags and the notes", () =>
  withIssuer(async (stage, simulator) => {
    const me = await stage.visit();
    const { email, workspaceId, userId, accountUserId } = simulator.plan("fresh");
    await stage.store.edit("id-work", (one) => ({
      ...one,
      email,
      identity: { workspaceId, userId, memberId: accountUserId },
      notes: "kept",
      setAside: { at: 0, reason: "needs login" },
    }));
    await me.script("/accounts/id-work/sign-in", { way: "paste" });
    const redirect = await fetch(await addressOn(me), { redirect: "manual" });
    await redirect.body?.cancel();
    const address = redirect.headers.get("location") ?? "";
    assert.match(await notice(await me.script("/logins/paste", { address })), /is signed in again/);
    const one = (await stage.store.load()).accounts.find(({ id }) => id === "id-work");
    assert.equal(one?.setAside, undefined);
    assert.equal(one?.notes, "kept");
    assert.equal(one?.generation, 2);
  }));

Deno.test("somebody else's login under an alias that stands for another changes nothing", () =>
  withIssuer(async (stage) => {
    const me = await stage.visit();
    await me.script("/logins", { alias: "work", way: "paste" });
    const redirect = await fetch(await addressOn(me), { redirect: "manual" });
    await redirect.body?.cancel();
    const address = redirect.headers.get("location") ?? "";
    assert.match(
      await notice(await me.script("/logins/paste", { address })),
      /^failed: .*nothing was changed/,
    );
    assert.equal(
      (await stage.store.load()).accounts.find(({ id }) => id === "id-work")?.generation,
      1,
    );
  }));

Deno.test("cancel frees the login's port and forgets its address", () =>
  withIssuer(async (stage, _simulator) => {
    const me = await stage.visit();
    await me.script("/logins", { alias: "fresh", way: "browser" });
    const callback = new URL(new URL(await addressOn(me)).searchParams.get("redirect_uri") ?? "");
    assert.match(await notice(await me.script("/logins/cancel")), /cancelled; nothing was changed/);
    assert.equal(await addressOn(me), "");
    await assert.rejects(fetch(callback));
    assert.equal((await stage.store.load()).accounts.length, 3);
  }));

Deno.test("a second login takes the first one's place", () =>
  withIssuer(async (stage) => {
    const me = await stage.visit();
    await me.script("/logins", { alias: "first", way: "browser" });
    const first = await addressOn(me);
    await me.script("/logins", { alias: "second", way: "browser" });
    assert.notEqual(await addressOn(me), first);
    const port = new URL(new URL(first).searchParams.get("redirect_uri") ?? "");
    await assert.rejects(fetch(port));
  }));

Deno.test("what cannot begin says why", () =>
  withIssuer(async (stage, simulator) => {
    const me = await stage.visit();
    assert.match(
      await notice(await me.script("/logins", { alias: "<b>", way: "browser" })),
      /cannot be an alias/,
    );
    assert.match(
      await notice(await me.script("/logins", { alias: "fresh", way: "magic" })),
      /no way/,
    );
    assert.match(
      await notice(await me.script("/accounts/gone/sign-in", { way: "paste" })),
      /not there any more/,
    );
    await simulator.close();
    assert.match(
      await notice(await me.script("/logins", { alias: "fresh", way: "device" })),
      /^failed: /,
    );
    assert.equal(await addressOn(me), "");
  }));
