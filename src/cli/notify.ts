import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { Failure } from "../platform/failure.ts";
import type { Channel } from "../notify/channel.ts";
import type { Notification } from "../notify/notification.ts";
import { noAction } from "./no_action.ts";
import { JSON_ABOUT, type OutputOptions, report } from "./output.ts";
import { paintOf } from "./style.ts";
import { sayWrong } from "./wrong_setting.ts";

/** What came of one channel. */
interface Outcome {
  readonly channel: string;
  readonly result: "sent" | "failed" | "not there";
  /** How it was sent, or why not. */
  readonly about: string;
}

/** `notify`: which ways there are to tell the person something, and whether they work. */
export function registerNotify(program: CommandLine, context: Context): void {
  const notify = program.command("notify")
    .summary("Show and try notifications (status|test)")
    .description(
      "Shows over which channels you are told what sessions and accounts do, and what\n" +
        "of it. Without an action it shows the same as status.",
    )
    .usage("[action] [options]")
    .argument("[action]", "status or test; without one, status")
    .option("--json", JSON_ABOUT)
    .helpCommand(false)
    .enablePositionalOptions()
    .action((action, options) => {
      if (action === undefined) return status(options);
      throw noAction("notify", action, "status, test");
    });
  addExamples(
    notify,
    "opencode-multi-auth notify test",
    "opencode-multi-auth config set notifyNtfyUrl https://ntfy.sh/<secret topic>",
    "opencode-multi-auth config set notifyAbout error,login,exhausted,back",
    "opencode-multi-auth config set notify off",
  );

  notify.command("status")
    .summary("Show the channels, and what you are told")
    .description("Shows the channels, and what you are told.")
    .option("--json", JSON_ABOUT)
    .action(status);

  notify.command("test")
    .summary("Send a notification over every channel that is there")
    .description(
      "Sends a notification over every channel that is there, also where notifications\n" +
        "are off, and says what came of it.",
    )
    .option("--json", JSON_ABOUT)
    .action(test);

  async function status(options: OutputOptions): Promise<void> {
    const { settings, list } = await open(context);
    const channels = list.map((channel) => {
      const found = channel.availability();
      return {
        name: channel.name,
        active: found.there,
        about: found.there ? found.how : found.why,
      };
    });
    const { notify, notifyAbout, notifyThresholds, notifyUiBaseUrl } = settings;
    const paint = paintOf(context);
    const width = Math.max(...channels.map(({ name }) => name.length));
    const lines = channels.map(({ name, active, about }) =>
      `  ${paint("bold", name.padEnd(width))}  ${active ? "on " : "off"}  ${about}\n`
    );
    const told = notifyAbout.map((topic) =>
      topic === "usage" ? `usage (${notifyThresholds.join(" and ") || "no"} %)` : topic
    );
    const text = `Notifications: ${notify ? "on" : "off (config set notify on)"}\n` +
      `About: ${told.join(", ") || "nothing"}\n` +
      `A click leads to: ${notifyUiBaseUrl || "nowhere (notifyUiBaseUrl is not set)"}\n\n` +
      lines.join("");
    report(
      context,
      options,
      {
        notify,
        about: notifyAbout,
        thresholds: notifyThresholds,
        uiBaseUrl: notifyUiBaseUrl || null,
        channels,
      },
      text,
    );
  }

  async function test(options: OutputOptions): Promise<void> {
    const { list, link, notification } = await open(context);
    const outcomes = await Promise.all(
      list.map((channel) => attempt(channel, notification, link)),
    );
    const paint = paintOf(context);
    const width = Math.max(...outcomes.map(({ channel }) => channel.length));
    const text = outcomes.map(({ channel, result, about }) =>
      `  ${paint("bold", channel.padEnd(width))}  ${result}${
        result === "sent" ? ` (${about})` : `: ${about}`
      }\n`
    ).join("");
    report(context, options, { channels: outcomes }, text);
    const failed = outcomes.filter(({ result }) => result === "failed");
    if (failed.length > 0) {
      throw new Failure(`Not sent: ${failed.map(({ channel }) => channel).join(", ")}.`);
    }
    if (!outcomes.some(({ result }) => result === "sent")) {
      throw new Failure(
        "There is no channel to send over.",
        "Set one up: opencode-multi-auth config set notifyNtfyUrl https://ntfy.sh/<secret topic>",
      );
    }
  }
}

async function open(context: Context) {
  const [{ channels, linkTo }, { thisMachine }, { readSettings }, { resolvePaths }] = await Promise
    .all([
      import("../notify/channels.ts"),
      import("../notify/machine.ts"),
      import("../platform/settings.ts"),
      import("../platform/paths.ts"),
    ]);
  const { env, clock, fetch } = context;
  const settings = readSettings(resolvePaths(env), env, {}, sayWrong(context));
  const notification: Notification = {
    topic: "idle",
    title: "OpenCode",
    body: "A test of opencode-multi-auth: it works 🎉",
    priority: 3,
    tags: ["white_check_mark"],
  };
  return {
    settings,
    list: channels(thisMachine({ env, clock, fetch, ...context.machine }), settings),
    link: linkTo(undefined, settings.notifyUiBaseUrl),
    notification,
  };
}

async function attempt(
  channel: Channel,
  notification: Notification,
  link: string | undefined,
): Promise<Outcome> {
  const found = channel.availability();
  if (!found.there) return { channel: channel.name, result: "not there", about: found.why };
  try {
    const without = await channel.send(notification, link);
    const about = without ? `${found.how}, ${without}` : found.how;
    return { channel: channel.name, result: "sent", about };
  } catch (error) {
    const { messageOf } = await import("../platform/failure.ts");
    return { channel: channel.name, result: "failed", about: messageOf(error) };
  }
}
