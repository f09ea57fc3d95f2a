import { loginWithBrowser, loginWithDevice, loginWithPastedCallback } from "../oauth/login.ts";
import type { Tokens } from "../oauth/tokens.ts";
import { formatDuration } from "../platform/duration.ts";
import { Failure, messageOf } from "../platform/failure.ts";
import type { Context } from "./context.ts";

/** How a person signs in. */
export type Way = "browser" | "paste" | "device";

/** How often a person may paste before the login is given up. */
const PASTES = 4;

/**
 * Signs a person in and says on the way what to do.
 *
 * Addresses stand alone at the start of a line, so that they can be copied
 * from any terminal and found by a script.
 *
 * @param issuer The issuer's URL, without a slash at the end.
 * @param say Shows text; gets whole lines.
 * @throws {Failure} when nobody signed in.
 */
export function signIn(
  context: Context,
  issuer: string,
  way: Way,
  say: (text: string) => void,
): Promise<Tokens> {
  const { fetch, clock, signal, callbackPorts } = context;
  const network = { issuer, fetch, clock, signal };
  switch (way) {
    case "browser":
      return loginWithBrowser({
        ...network,
        ...(callbackPorts === undefined ? {} : { ports: callbackPorts }),
        onUrl: (url) =>
          say(
            `\nOpen this URL in your browser:\n\n${url}\n\n` +
              `Waiting for callback on port ${portOf(url)}...\n`,
          ),
        open: (url) => context.openBrowser(url),
        onOpened: (opened) => {
          if (!opened) say("(No browser could be started here; open the address yourself.)\n");
        },
      });
    case "paste": {
      let tries = onTerminal(context) ? PASTES : 1;
      return loginWithPastedCallback({
        ...network,
        onUrl: (url) =>
          say(
            `\nOpen this URL in a browser, on any machine:\n\n${url}\n\n` +
              "After signing in, the browser ends at a page that does not load. Copy the\n" +
              "whole address of that page.\n\n",
          ),
        ask: () => pasted(context, say),
        askAgain: (wrong) => {
          if (--tries <= 0) return false;
          say(`${messageOf(wrong)}\n`);
          return true;
        },
      });
    }
    case "device":
      return loginWithDevice({
        ...network,
        onCode: ({ url, userCode, expiresAt }) =>
          say(
            `\nOpen this URL on any device:\n\n${url}\n\nand enter this code:\n\n` +
              `${userCode}\n\nWaiting (the code ends in ${
                formatDuration(expiresAt - clock.now())
              })...\n`,
          ),
      });
  }
}

function onTerminal({ terminal }: Context): boolean {
  return terminal.input && terminal.output;
}

async function pasted(context: Context, say: (text: string) => void): Promise<string> {
  const question = "Paste the address here";
  if (onTerminal(context)) {
    return await (await context.prompts()).text(question);
  }
  say(`${question}:\n`);
  const line = await context.readLine();
  if (line !== undefined && line.trim() !== "") return line;
  throw new Failure(
    "No address was pasted: standard input has ended.",
    "Give it on standard input, or sign in with --device.",
  );
}

/** The port to which the browser will return. */
function portOf(url: string): string {
  const redirect = URL.parse(url)?.searchParams.get("redirect_uri") ?? "";
  return URL.parse(redirect)?.port ?? "";
}
