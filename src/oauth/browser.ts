import process from "node:process";
import { type Environment, set } from "../platform/paths.ts";

/**
 * Opens a page in the person's browser.
 *
 * @param options.env Tells whether there is a desktop (default: the process's).
 * @param options.platform As `process.platform` names it.
 * @param options.load Gives the function that opens; the `open` package by default, loaded only here.
 * @returns Whether a browser was started. False, never an error, when there is none: the person opens the page then.
 */
export async function openBrowser(url: string, options: {
  env?: Environment;
  platform?: string;
  load?: () => Promise<(url: string) => Promise<unknown>>;
} = {}): Promise<boolean> {
  const { env = process.env, platform = process.platform, load = loadOpen } = options;
  const protocol = URL.parse(url)?.protocol;
  if (protocol !== "https:" && protocol !== "http:") return false;
  if (platform === "linux" && !hasDesktop(env)) return false;
  try {
    const open = await load();
    await open(url);
    return true;
  } catch {
    return false;
  }
}

async function loadOpen(): Promise<(url: string) => Promise<unknown>> {
  const { default: open } = await import("open");
  return (url) => open(url);
}

/** Without one, `xdg-open` says yes and starts a text browser that nobody sees. */
function hasDesktop(env: Environment): boolean {
  return ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].some((name) => set(env[name]));
}
