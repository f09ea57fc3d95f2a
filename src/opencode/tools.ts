import type { Client } from "../codex/client.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../platform/failure.ts";
import type { HostCommand, HostConfig, HostTool } from "./host.ts";

/**
 * The tools that the model may call. Their arguments are plain JSON schemas:
 * OpenCode 1.18 takes them beside zod's, and asks the model for every one of
 * them, so an argument that may be left out is one that may be empty.
 */
export function accountTools(options: {
  open: () => Promise<Client>;
  now: () => number;
  log: Log;
}): Readonly<Record<string, HostTool>> {
  const answers = () => import("./tool_answers.ts");
  const answer = async (say: (part: Awaited<ReturnType<typeof answers>>) => Promise<string>) => {
    try {
      return await say(await answers());
    } catch (error) {
      options.log.error(messageOf(error));
      return `That failed: ${messageOf(error)}`;
    }
  };
  return {
    accounts: {
      description: "Shows the person's ChatGPT accounts behind the openai provider: which one " +
        "serves this session, what is left of each account's limits, and when they reset. " +
        "Only when the person asks about accounts, limits or quota.",
      args: {},
      execute: (_, context) => answer((part) => part.accountsAnswer(context?.sessionID, options)),
    },
    pin: {
      description: "Lets one of the person's ChatGPT accounts serve every request from now on, " +
        "or ends that. Only when the person asks for it.",
      args: {
        account: {
          type: "string",
          description: 'The account\'s alias, as the tool "accounts" shows it; "none" to unpin.',
        },
        for: {
          type: "string",
          description: "How long, such as 30m, 2h or 1d; empty for until it is unpinned.",
        },
      },
      execute: (args) => answer((part) => part.pinAnswer(args, options)),
    },
  };
}

/** The slash commands, each of which has the model call its tool. */
const COMMANDS: Readonly<Record<string, HostCommand>> = {
  accounts: {
    description: "ChatGPT accounts: who serves, what is left",
    template: "Call the tool `accounts`. Then repeat what it says, as a list, and add nothing.",
  },
  pin: {
    description: "Pin a ChatGPT account: /pin <alias> [2h], /pin none",
    template: "Call the tool `pin` with these words of mine: $ARGUMENTS\n" +
      "The first word is the account, the second, if there is one, says for how long. " +
      "Without any words call the tool `accounts` instead. Then repeat what it says and add nothing.",
  },
};

/** Adds the slash commands; those of the person's own stay as they are. */
export function addCommands(config: HostConfig): void {
  config.command = { ...COMMANDS, ...config.command };
}
