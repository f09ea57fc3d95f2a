import assert from "node:assert/strict";
import { type Actions, paletteCommands } from "../../src/opencode/palette.ts";
import { promptLine } from "../../src/opencode/prompt_line.ts";
import type { TuiSelectProps } from "../../src/opencode/tui_host.ts";
import { accountSubject } from "../../src/quota/block.ts";
import { PLAN_BUCKET } from "../../src/quota/window.ts";
import type { Snapshot } from "../../src/store/store.ts";
import { MemoryStore, testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";

const HOUR = 3_600_000;

function stage(aliases: readonly string[] = ["a", "b"]) {
  const clock = new VirtualClock();
  const store = new MemoryStore(clock, aliases.map((alias) => testAccount(alias)));
  return { clock, store, load: () => store.load() };
}

function used(store: MemoryStore, clock: VirtualClock, alias: string, percent: number) {
  store.observe({
    accountId: `id-${alias}`,
    windows: [
      {
        bucket: PLAN_BUCKET,
        minutes: 300,
        usedPercent: percent,
        resetsAt: clock.now() + 2 * HOUR,
        observedAt: clock.now(),
      },
      {
        bucket: PLAN_BUCKET,
        minutes: 10_080,
        usedPercent: 3,
        resetsAt: clock.now() + 99 * HOUR,
        observedAt: clock.now(),
      },
    ],
  });
}

Deno.test("the prompt shows the session's account, what is left of its tightest window, and its reset", async () => {
  const { clock, store, load } = stage();
  used(store, clock, "b", 40.2);
  await store.flush();
  const line = (snapshot: Snapshot, home: string | undefined, width = 150) =>
    promptLine(snapshot, home, clock.now(), width);
  const snapshot = await load();
  assert.match(line(snapshot, "id-b")?.text ?? "", /^b 60% left · resets \d+:\d\d/);
  assert.equal(line(snapshot, "id-b")?.tone, "textMuted");
  assert.deepEqual(line(snapshot, "id-b", 79), { text: "b 60% left", tone: "textMuted" });
  // No figures yet; nobody has served yet.
  assert.deepEqual(line(snapshot, "id-a"), { text: "a", tone: "textMuted" });
  assert.equal(line(snapshot, undefined)?.text, "a");
  assert.equal(line({ ...snapshot, activeId: "id-b" }, undefined, 79)?.text, "b 60% left");
  // A pin takes every session, while it lasts.
  const pinned = { ...snapshot, pin: { accountId: "id-b", until: clock.now() + 1 } };
  assert.equal(line(pinned, "id-a", 79)?.text, "b 60% left");
  assert.equal(promptLine(pinned, "id-a", clock.now() + 1, 80)?.text, "a");
});

Deno.test("the prompt warns when little is left, and says what keeps the account from serving", async () => {
  const { clock, store, load } = stage(["a"]);
  const tone = async (percent: number) => {
    used(store, clock, "a", percent);
    await store.flush();
    return promptLine(await load(), "id-a", clock.now(), 80)?.tone;
  };
  assert.deepEqual([await tone(69), await tone(70), await tone(90)], [
    "textMuted",
    "warning",
    "error",
  ]);
  await store.block({
    subject: accountSubject("id-a"),
    model: "",
    reason: "usage limit",
    until: clock.now() + HOUR,
    since: clock.now(),
    source: "body",
  });
  const line = promptLine(await load(), "id-a", clock.now(), 120);
  assert.match(line?.text ?? "", /^a usage limit until /);
  assert.equal(line?.tone, "error");
});

/** The room beside OpenCode's own words at 80 columns, with the longest of its models' names. */
const ROOM = 41;

Deno.test("at 80 columns account, share and reset are there, in few words", async () => {
  const { clock, store, load } = stage(["a", "a-very-long-alias-of-mine"]);
  const text = async (alias: string, width = 80) =>
    promptLine(await load(), `id-${alias}`, clock.now(), width)?.text ?? "";
  for (const alias of ["a", "a-very-long-alias-of-mine"]) used(store, clock, alias, 40.2);
  await store.flush();
  assert.match(await text("a"), /^a 60% left · resets \d{1,2}:\d\d [AP]M$/);
  const long = await text("a-very-long-alias-of-mine");
  assert.match(long, /^a-very-long-a… 60% left · resets \d{1,2}:\d\d [AP]M$/);
  assert.ok(long.length <= ROOM, long);
  assert.match(await text("a-very-long-alias-of-mine", 142), /^a-very-long-alias-of-mine 60% left/);
  // Tomorrow's hour is the next of its kind; later only the day counts.
  const until = (hours: number) =>
    store.block({
      subject: accountSubject("id-a"),
      model: "",
      reason: "usage limit",
      until: clock.now() + hours * HOUR,
      since: clock.now(),
      source: "body",
    });
  await until(23);
  assert.match(await text("a"), /^a usage limit until \d{1,2}:\d\d [AP]M$/);
  await until(99);
  assert.match(await text("a"), /^a usage limit until [A-Z][a-z]{2} \d{1,2}$/);
  assert.equal(await text("a", 79), "a usage limit");
});

Deno.test("a window that is over is full again", async () => {
  const { clock, store, load } = stage(["a"]);
  used(store, clock, "a", 98);
  await store.flush();
  const line = promptLine(await load(), "id-a", clock.now() + 2 * HOUR, 79);
  assert.deepEqual(line, { text: "a 97% left", tone: "textMuted" });
});

Deno.test("without accounts there is nothing beside the prompt, and a locked store is said", async () => {
  const { load, clock } = stage([]);
  const snapshot = await load();
  assert.equal(promptLine(snapshot, undefined, clock.now(), 80), undefined);
  const locked = promptLine({ ...snapshot, locked: true }, undefined, clock.now(), 80);
  assert.equal(locked?.text, "accounts locked");
});

function palette(aliases?: readonly string[]) {
  const { clock, store } = stage(aliases);
  const said: string[] = [];
  const shown: TuiSelectProps[] = [];
  const actions: Actions = {
    open: () => Promise.resolve(store),
    now: () => clock.now(),
    say: (message) => void said.push(message),
    choose: (props) => void shown.push(props),
    close: () => {},
    changed: () => Promise.resolve(),
  };
  const run = async (name: string, chosen?: string) => {
    paletteCommands(actions).find((command) => command.name === `multi-auth.${name}`)?.run();
    await clock.advance(1);
    const option = shown.at(-1)?.options.find(({ title }) => title === chosen);
    if (option) shown.at(-1)?.onSelect(option);
    await clock.advance(1);
  };
  return { clock, store, said, shown, run };
}

Deno.test("the palette pins, for good and for a while, and unpins", async () => {
  const { run, store, said, clock, shown } = palette();
  await run("pin", "b");
  assert.deepEqual((await store.load()).pin, { accountId: "id-b", until: null });
  await run("pin_for_a_while", "a");
  const until = (await store.load()).pin?.until ?? 0;
  assert.ok(Math.abs(until - clock.now() - 2 * HOUR) < 10);
  await run("unpin");
  assert.equal((await store.load()).pin, null);
  assert.deepEqual(said, [
    "b serves everything it can until it is unpinned",
    "a serves everything it can for two hours",
    "Unpinned",
  ]);
  assert.deepEqual(shown[0]?.options.map(({ title, description }) => [title, description]), [
    ["a", "no figures yet"],
    ["b", "no figures yet"],
  ]);
});

Deno.test("the palette turns an account off and on, which then cannot be pinned", async () => {
  const { run, store, said } = palette();
  await run("switch", "b");
  assert.equal((await store.load()).accounts[1]?.enabled, false);
  await run("pin", "b");
  assert.equal((await store.load()).pin, null);
  await run("switch", "b");
  const [, account] = (await store.load()).accounts;
  assert.equal(account?.enabled, true);
  assert.equal(account?.disabled, undefined);
  assert.deepEqual(said, ["b is off", "b cannot serve", "b is on"]);
});

Deno.test("the palette says when there is nothing to choose from", async () => {
  const { run, said, shown } = palette([]);
  await run("accounts");
  assert.deepEqual(said, ["There are no accounts yet"]);
  assert.deepEqual(shown, []);
});
