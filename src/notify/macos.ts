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
  settings: { readonly notifySound: string; readonly notifyMacOpen: boolean },
): Channel {
  const withClick = () => settings.notifyMacOpen ? machine.find("terminal-notifier") : undefined;
  const script = () => machine.find("osascript");
  return {
    name: "macOS",
    availability() {
      if (machine.platform !== "darwin") return { there: false, why: "for macOS" };
      const program = withClick() ?? script();
      return program === undefined
        ? { there: false, why: "neither osascript nor terminal-notifier is on the PATH" }
        : { there: true, how: program.split("/").at(-1) ?? program };
    },
    async send(notification, link) {
      const notifier = link === undefined ? undefined : withClick();
      const shown = notifier !== undefined && link !== undefined
        ? runWell(machine, notifier, terminalNotifierArguments(notification, link))
        : runWell(machine, script() ?? "/usr/bin/osascript", scriptArguments(notification));
      const player = settings.notifySound === "" ? undefined : machine.find("afplay");
      const played = player
        ? runWell(machine, player, [soundPath(settings.notifySound)])
        : undefined;
      // A sound that is missing must not look as if nothing had been shown.
      const [first, second] = await Promise.allSettled([shown, played]);
      if (first.status === "rejected") throw first.reason;
      if (second.status === "rejected") {
        throw new Error(`shown, but without its sound: afplay ${(second.reason as Error).message}`);
      }
    },
  };
}

/** The first argument is a word of ours: with it the options of `osascript` are over, whatever follows. */
function scriptArguments({ title, body }: Notification): string[] {
  return [...SCRIPT.flatMap((line) => ["-e", line]), "opencode", title, body];
}

function terminalNotifierArguments({ title, body, session }: Notification, link: string): string[] {
  return [
    "-title",
    defaultsText(title),
    "-message",
    // Nothing after a line break is shown.
    defaultsText(body.replaceAll("\n", " – ")),
    // The newest of a session takes the place of the one before.
    ...(session === undefined ? [] : ["-group", defaultsText(`opencode-${session}`)]),
    "-open",
    link,
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
