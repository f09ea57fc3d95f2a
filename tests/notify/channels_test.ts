import assert from "node:assert/strict";
import fc from "fast-check";
import type { Channel, Machine } from "../../src/notify/channel.ts";
import { channels, linkTo } from "../../src/notify/channels.ts";
import { bodyArgument } from "../../src/notify/freedesktop.ts";
import { headerText } from "../../src/notify/header_text.ts";
import { thisMachine } from "../../src/notify/machine.ts";
import { findProgram } from "../../src/platform/find_program.ts";
import { defaultsText } from "../../src/notify/macos.ts";
import { oneLine } from "../../src/notify/notification.ts";
import { asciiJson } from "../../src/notify/windows.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { NASTY, NEWS, withStubs } from "./stubs.ts";

const LINK = "https://host.example/session/ses_1";

function machineWith(folder: string, platform: string, env = {}): Machine {
  return thisMachine({
    env: { PATH: `${folder}:/usr/bin:/bin`, ...env },
    clock: systemClock,
    fetch: () => Promise.reject(new Error("this test has no network")),
    platform,
  });
}

function channelOf(name: string, machine: Machine, settings = {}): Channel {
  const found = channels(machine, { ...STANDARD_SETTINGS, ...settings })
    .find((one) => one.name === name);
  assert.ok(found, name);
  return found;
}

Deno.test("notify-send gets title and body as text, whatever is in them", async () => {
  await withStubs(["notify-send"], async ({ folder, calls }) => {
    const channel = channelOf("desktop", machineWith(folder, "linux"));
    assert.deepEqual(channel.availability(), { there: true, how: "notify-send" });
    await channel.send(NEWS, LINK);
    await channel.send({ ...NEWS, priority: 5 }, undefined);
    const [first, second] = calls("notify-send");
    assert.deepEqual(first?.args, [
      "--app-name=OpenCode",
      "--urgency=normal",
      "--",
      NASTY,
      bodyArgument(NEWS.body),
    ]);
    assert.equal(second?.args[1], "--urgency=critical");
  });
});

Deno.test("PowerShell gets the same script for every text, and the texts as JSON on standard input", async () => {
  await withStubs(["powershell.exe"], async ({ folder, calls }) => {
    const onWindows = channelOf("Windows", machineWith(folder, "win32"));
    const inWsl = channelOf("Windows", machineWith(folder, "linux", { WSL_DISTRO_NAME: "Debian" }));
    await onWindows.send(NEWS, LINK);
    await inWsl.send({ ...NEWS, title: "{0}" }, undefined);
    const [first, second] = calls("powershell.exe");
    assert.deepEqual(first?.args, second?.args);
    assert.deepEqual(first?.args.slice(0, 3), ["-NoProfile", "-NonInteractive", "-EncodedCommand"]);
    const bytes = Uint8Array.from(atob(first?.args[3] ?? ""), (one) => one.charCodeAt(0));
    assert.match(new TextDecoder("utf-16le").decode(bytes), /CreateTextNode\(\$data\.body\)/);
    assert.match(first?.input ?? "", /^[\x20-\x7e]*$/);
    assert.deepEqual(JSON.parse(first?.input ?? ""), {
      title: NASTY,
      body: NEWS.body,
      link: LINK,
    });
    // In a toast, a text in braces would be the name of a value.
    assert.equal(JSON.parse(second?.input ?? "").title, "\u200b{0}");
  });
});

Deno.test("each channel says why it is not there", async () => {
  await withStubs([], ({ folder }) => {
    const bare = (platform: string, env = {}): Machine => ({
      ...machineWith(folder, platform, env),
      find: () => undefined,
    });
    const why = (machine: Machine, settings = {}) =>
      Object.fromEntries(
        channels(machine, { ...STANDARD_SETTINGS, ...settings }).map((channel) => {
          const found = channel.availability();
          return [channel.name, found.there ? `there: ${found.how}` : found.why];
        }),
      );
    assert.deepEqual(why(bare("linux")), {
      ntfy: "no topic is set: config set notifyNtfyUrl https://…",
      desktop: "notify-send is not installed (package libnotify-bin)",
      macOS: "for macOS",
      Windows: "for Windows",
    });
    assert.match(why(bare("darwin"))["macOS"] ?? "", /neither osascript/);
    assert.match(why(bare("win32"))["Windows"] ?? "", /powershell\.exe is not on the PATH/);
    assert.equal(why(bare("win32"))["desktop"], "for Linux and the like");
    const token = { OPENCODE_MULTI_AUTH_NOTIFY_NTFY_TOKEN: "tk_verysecret" };
    for (
      const [url, said] of [
        ["https://ntfy.sh/secret", "there: ntfy.sh, with a token"],
        ["http://192.168.1.5/secret", "there: 192.168.1.5, its token goes there unencrypted"],
        ["https://ntfy.sh", "the address names no topic: https://ntfy.sh/<topic> is one"],
      ]
    ) assert.equal(why(bare("linux", token), { notifyNtfyUrl: url })["ntfy"], said);
    return Promise.resolve();
  });
});

Deno.test("a program that fails is named with what it said, and gets none of our secrets", async () => {
  await withStubs(["notify-send"], async ({ folder, calls }) => {
    const machine = machineWith(folder, "linux", {
      OPENCODE_MULTI_AUTH_NOTIFY_NTFY_TOKEN: "tk_verysecret",
      CODEX_SOFT_STORE_PASSPHRASE: "hush",
      DISPLAY: ":0",
    });
    await assert.rejects(
      channelOf("desktop", machine).send(NEWS, undefined),
      /^Error: notify-send ended with 3: no desktop is here$/,
    );
    const [call] = calls("notify-send");
    assert.match(call?.env ?? "", /DISPLAY=:0/);
    assert.doesNotMatch(call?.env ?? "", /verysecret|hush/);
  }, 3);
});

Deno.test("a program is looked for in absolute folders of the search path only", async () => {
  await withStubs(["notify-send"], ({ folder }) => {
    assert.equal(
      findProgram("notify-send", { PATH: `.:${folder}` }, "linux"),
      `${folder}/notify-send`,
    );
    const here = Deno.cwd();
    Deno.chdir(folder);
    try {
      assert.equal(findProgram("notify-send", { PATH: ".::relative" }, "linux"), undefined);
    } finally {
      Deno.chdir(here);
    }
    assert.equal(findProgram("notify-send", { PATH: "/nowhere" }, "linux"), undefined);
    return Promise.resolve();
  });
});

const text = fc.string({ unit: "grapheme", maxLength: 200 });

Deno.test("property: every escaping can be undone by the one who reads it", () => {
  fc.assert(
    fc.property(text, (value) => {
      // ntfy: the words of RFC 2047.
      const header = headerText(value);
      assert.match(header, /^[\x20-\x7e]*$/);
      const words = header.startsWith("=?") ? header.split(" ") : undefined;
      for (const word of words ?? []) assert.ok(word.length <= 75, word);
      const decoded = words?.map((word) => {
        const base64 = /^=\?UTF-8\?B\?(.*)\?=$/.exec(word)?.[1] ?? assert.fail(word);
        return new TextDecoder("utf-8", { fatal: true })
          .decode(Uint8Array.from(atob(base64), (one) => one.charCodeAt(0)));
      }).join("");
      assert.equal(decoded ?? header, value.toWellFormed());
      // notify-send: markup, then `g_strcompress`, which knows more than these two.
      const argument = bodyArgument(value);
      assert.doesNotMatch(argument, /[<>]/);
      const body = argument.replace(
        /\\(.)/gs,
        (_, next) => next === "\\" ? "\\" : assert.fail(next),
      )
        .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
      assert.equal(body, value);
      // terminal-notifier: a backslash at the start is taken away, nothing else may look like a list or an option.
      const shown = defaultsText(value);
      assert.match(shown, /^[\\\p{L}\p{N}]/u);
      assert.equal(shown.startsWith("\\") ? shown.slice(1) : shown, value);
      // PowerShell: JSON in ASCII.
      const json = asciiJson({ value });
      assert.match(json, /^[\x20-\x7e]*$/);
      assert.deepEqual(JSON.parse(json), { value });
      // Titles of others are one line without anything that moves a cursor.
      assert.doesNotMatch(oneLine(value), /[\p{Cc}\u2028\u2029\u202e]/u);
    }),
    { examples: [[NASTY], [""], [" x"], ["=?UTF-8?B?eA==?="], ["a\nb"], ["\ud800"]] },
  );
});

Deno.test("a line is cut between characters", () => {
  assert.equal(oneLine("🎉".repeat(400), 10), `${"🎉".repeat(9)}…`);
  assert.equal(oneLine(" a\r\n\tb\u001b[31m "), "a b [31m");
});

Deno.test("a click leads to the session, or to where OpenCode is, or nowhere", () => {
  assert.equal(linkTo("ses_1", "https://h.example/oc"), "https://h.example/oc/session/ses_1");
  assert.equal(linkTo("../x y", "https://h.example"), "https://h.example/session/..%2Fx%20y");
  assert.equal(linkTo(undefined, "https://h.example"), "https://h.example");
  assert.equal(linkTo("ses_1", ""), undefined);
});
