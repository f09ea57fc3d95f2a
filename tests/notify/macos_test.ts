import assert from "node:assert/strict";
import type { Channel, Ended, Machine } from "../../src/notify/channel.ts";
import { thisMachine } from "../../src/notify/machine.ts";
import { macos } from "../../src/notify/macos.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { NASTY, NEWS, withStubs } from "./stubs.ts";

const LINK = "https://host.example/session/ses_1";
const SETTINGS = { ...STANDARD_SETTINGS, notifyUiBaseUrl: "https://host.example" };

function macOS(machine: Machine, settings: Partial<typeof SETTINGS> = {}): Channel {
  return macos(machine, { ...SETTINGS, ...settings });
}

function machineWith(folder: string): Machine {
  return thisMachine({
    env: { PATH: `${folder}:/usr/bin:/bin` },
    clock: systemClock,
    fetch: () => Promise.reject(new Error("this test has no network")),
    platform: "darwin",
  });
}

Deno.test("osascript gets a script of ours and the texts as its arguments", async () => {
  await withStubs(["osascript", "afplay"], async ({ folder, calls }) => {
    const channel = macOS(machineWith(folder));
    await channel.send(NEWS, LINK);
    const [call] = calls("osascript");
    assert.deepEqual(call?.args, [
      "-e",
      "on run argv",
      "-e",
      "display notification (item 3 of argv) with title (item 2 of argv)",
      "-e",
      "end run",
      "opencode",
      NASTY,
      NEWS.body,
    ]);
    assert.deepEqual(calls("afplay").map(({ args }) => args), [[
      "/System/Library/Sounds/Glass.aiff",
    ]]);
  });
});

Deno.test("terminal-notifier opens the session, unless clicks are off or lead nowhere", async () => {
  await withStubs(["osascript", "afplay", "terminal-notifier"], async ({ folder, calls }) => {
    const machine = machineWith(folder);
    await macOS(machine, { notifySound: "" }).send(NEWS, LINK);
    assert.deepEqual(calls("terminal-notifier")[0]?.args, [
      "-title",
      `\\${NASTY}`,
      "-message",
      NEWS.body.replace("\n", " – "),
      "-group",
      "opencode-ses_1",
      "-open",
      LINK,
    ]);
    assert.deepEqual([calls("osascript").length, calls("afplay").length], [0, 0]);
    await macOS(machine, { notifySound: "", notifyUiBaseUrl: "" }).send(NEWS, undefined);
    await macOS(machine, { notifyMacOpen: false, notifySound: "-x.aiff" })
      .send(NEWS, LINK);
    assert.equal(calls("terminal-notifier").length, 1);
    assert.equal(calls("osascript").length, 2);
    assert.deepEqual(calls("afplay").map(({ args }) => args), [["./-x.aiff"]]);
  });
});

/** What becomes of a notification where these programs are there, and end so. */
async function outcome(
  programs: Record<string, Ended | Error>,
  settings: Partial<typeof SETTINGS> = {},
): Promise<string> {
  const ran: string[] = [];
  const channel = macOS({
    ...machineWith(""),
    find: (program) => programs[program] && `/usr/bin/${program}`,
    run(path) {
      const program = path.split("/").at(-1) ?? "";
      ran.push(program);
      const end = programs[program];
      return end && !(end instanceof Error) ? Promise.resolve(end) : Promise.reject(end);
    },
  }, settings);
  const found = channel.availability();
  if (!found.there) return found.why;
  try {
    const without = await channel.send(NEWS, settings.notifyUiBaseUrl === "" ? undefined : LINK);
    return [`${found.how} (ran ${ran.join(", ")})`, ...(without ? [without] : [])].join(" ");
  } catch (error) {
    return `${found.how} failed: ${(error as Error).message}`;
  }
}

const WELL: Ended = { code: 0, said: "" };
const BADLY: Ended = { code: 1, said: "no such file" };

Deno.test("macOS says by which program it was shown, and what failed or is missing", async () => {
  const both = { osascript: WELL, "terminal-notifier": WELL, afplay: WELL };
  assert.equal(await outcome(both), "terminal-notifier (ran terminal-notifier, afplay)");
  for (const settings of [{ notifyUiBaseUrl: "" }, { notifyMacOpen: false }]) {
    assert.equal(await outcome(both, settings), "osascript (ran osascript, afplay)");
    const alone = { "terminal-notifier": WELL, afplay: WELL };
    assert.equal(
      await outcome(alone, settings),
      "terminal-notifier (ran terminal-notifier, afplay)",
    );
  }
  assert.equal(
    await outcome({ osascript: WELL }),
    "osascript (ran osascript) without its sound: afplay is not on the PATH",
  );
  assert.equal(
    await outcome({ osascript: WELL }, { notifySound: "" }),
    "osascript (ran osascript)",
  );
  assert.equal(
    await outcome({ osascript: WELL, afplay: BADLY }),
    "osascript (ran osascript, afplay) without its sound: afplay ended with 1: no such file",
  );
  assert.equal(
    await outcome({ osascript: BADLY, afplay: BADLY }),
    "osascript failed: osascript ended with 1: no such file",
  );
  assert.equal(
    await outcome({ "terminal-notifier": { code: null, said: "" }, osascript: WELL, afplay: WELL }),
    "terminal-notifier failed: terminal-notifier ended with a signal",
  );
  assert.equal(
    await outcome({ osascript: new Error("spawn /usr/bin/osascript EACCES"), afplay: WELL }),
    "osascript failed: spawn /usr/bin/osascript EACCES",
  );
  assert.equal(
    await outcome({ afplay: WELL }),
    "neither osascript nor terminal-notifier is on the PATH",
  );
});
