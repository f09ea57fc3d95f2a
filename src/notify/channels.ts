import type { NotifySettings } from "../platform/notify_settings.ts";
import { type Environment, set } from "../platform/paths.ts";
import type { Channel, Machine } from "./channel.ts";
import { freedesktop } from "./freedesktop.ts";
import { macos } from "./macos.ts";
import { ntfy } from "./ntfy.ts";
import { windows } from "./windows.ts";

/** Every channel, whether it can be used here or not. */
export function channels(machine: Machine, settings: NotifySettings): Channel[] {
  return [
    ntfy(machine, settings.notifyNtfyUrl, ntfyToken(machine.env)),
    freedesktop(machine),
    macos(machine, settings),
    windows(machine),
  ];
}

/** ntfy's access token. It is in the environment only: a setting would be shown, and typed as an argument. */
function ntfyToken(env: Environment): string | undefined {
  return set(env["OPENCODE_MULTI_AUTH_NOTIFY_NTFY_TOKEN"])?.trim();
}

/** Where a click leads; undefined where no web interface is known. */
export function linkTo(session: string | undefined, base: string): string | undefined {
  if (base === "") return undefined;
  return session === undefined ? base : `${base}/session/${encodeURIComponent(session)}`;
}
