import { messageOf } from "../platform/failure.ts";
import type { NotifySettings } from "../platform/notify_settings.ts";
import { type Channel, type Machine, runWell } from "./channel.ts";
import type { Notification } from "./notification.ts";

/** AppleScript that takes its texts as arguments, so that none of them is ever read as script. */
const SCRIPT = [
  "on run argv",
  "display notification (item 3 of argv) with title (item 2 of argv)",
  "end run",
] as const;

/** macOS: `terminal-notifier` where a click can lead somewhere, else `osascript`; `afplay` for the sound. */
export function macos(
  machine: Machine,
  settings: Pick<NotifySettings, "notifySound" | "notifyMacOpen" | "notifyUiBaseUrl">,
): Channel {
  const clicks = settings.notifyMacOpen && settings.notifyUiBaseUrl !== "";
  const notifier = () => machine.find("terminal-notifier");
  const program = () =>
    (clicks ? notifier() : undefined) ?? machine.find("osascript") ?? notifier();
  const nameOf = (path: string) => path.split("/").at(-1) ?? path;
  return {
    name: "macOS",
    availability() {
      if (machine.platform !== "darwin") return { there: false, why: "for macOS" };
      const found = program();
      return found === undefined
        ? { there: false, why: "neither osascript nor terminal-notifier is on the PATH" }
        : { there: true, how: nameOf(found) };
    },
    async send(notification, link) {
      const found = program() ?? "/usr/bin/osascript";
      const shown = nameOf(found) === "osascript"
        ? runWell(machine, found, scriptArguments(notification))
        : runWell(
          machine,
          found,
          terminalNotifierArguments(notification, clicks ? link : undefined),
        );
      const played = settings.notifySound === "" ? undefined : play(machine, settings.notifySound);
      // A sound that is missing must not look as if nothing had been shown.
      const [first, second] = await Promise.allSettled([shown, played]);
      if (first.status === "rejected") throw first.reason;
      if (second.status === "rejected") return `without its sound: ${messageOf(second.reason)}`;
    },
  };
}

async function play(machine: Machine, sound: string): Promise<void> {
  const player = machine.find("afplay");
  if (player === undefined) throw new Error("afplay is not on the PATH");
  await runWell(machine, player, [soundPath(sound)]);
}

/** The first argument is a word of ours: with it the options of `osascript` are over, whatever follows. */
function scriptArguments({ title, body }: Notification): string[] {
  return [...SCRIPT.flatMap((line) => ["-e", line]), "opencode", title, body];
}

function terminalNotifierArguments(
  { title, body, session }: Notification,
  link: string | undefined,
): string[] {
  return [
    "-title",
    defaultsText(title),
    "-message",
    // Nothing after a line break is shown.
    defaultsText(body.replaceAll("\n", " – ")),
    // The newest of a session takes the place of the one before.
    ...(session === undefined ? [] : ["-group", defaultsText(`opencode-${session}`)]),
    ...(link === undefined ? [] : ["-open", link]),
  ];
}

/**
 * A text for `terminal-notifier`, which reads its options the way macOS reads defaults: a text that
 * begins like a list, a string or an option is none, unless a backslash stands before it.
 */
export function defaultsText(text: string): string {
  return /^[\p{L}\p{N}]/u.test(text) ? text : `\\${text}`;
}

/** A relative path would be an option if it began with a dash. */
function soundPath(path: string): string {
  return path.startsWith("-") ? `./${path}` : path;
}
