import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../platform/failure.ts";
import { readTextIfExists } from "../platform/files.ts";
import { type Environment, homeFolder, resolvePaths } from "../platform/paths.ts";
import { saveFile } from "../platform/save_file.ts";
import { PROGRAM } from "../platform/version.ts";
import { launchdPlist, plistEnvironment, plistSettings } from "./launchd_plist.ts";
import type { Ended, ProgramRunner } from "./program_runner.ts";
import type { ServiceManager } from "./service.ts";

/** The line of `launchctl print` about an agent that runs. */
const RUNNING = /^\s*state = running$/m;

/** What launchd knows the agent by. */
export const LABEL = "opencode-multi-auth.codex-soft";

/**
 * The person's own launchd.
 *
 * @param uid The person's user id: their session is `gui/<uid>`.
 */
export function launchd(env: Environment, runner: ProgramRunner, uid: number): ServiceManager {
  const home = homeFolder(env);
  const file = join(home, "Library", "LaunchAgents", `${LABEL}.plist`);
  const log = join(resolvePaths(env).folder, "logs", "service.log");
  const domain = `gui/${uid}`;
  const target = `${domain}/${LABEL}`;
  const launchctl = (...args: string[]) => runner.run("launchctl", args);
  const must = async (...args: string[]) => {
    const ended = await launchctl(...args);
    if (ended.code !== 0) throw refused(args, ended);
  };
  const loaded = async () => (await launchctl("print", target)).code === 0;
  /** Unloading something that is not loaded is an error to launchd and none to us. */
  const unload = async () => {
    if (await loaded()) await must("bootout", target);
  };
  const read = () => readTextIfExists(file);
  return {
    name: "launchd",
    kind: "launchd agent",
    service: LABEL,
    file,
    present() {
      const plist = read();
      if (plist === undefined) return undefined;
      return { ...plistSettings(plist), environment: plistEnvironment(plist) };
    },
    async install({ command, environment }) {
      const plist = launchdPlist({ label: LABEL, command, environment, folder: home, log });
      // launchd would make the file with its own rights.
      if (!existsSync(log)) saveFile(log, "");
      saveFile(file, plist);
      await unload();
      await must("enable", target);
      await must("bootstrap", domain, file);
      return { notices: ["It runs while you are logged in; launchd stops it when you log out."] };
    },
    async disable() {
      await unload();
      // Else the next login loads it again.
      await must("disable", target);
    },
    async uninstall() {
      await unload();
      rmSync(file, { force: true });
      rmSync(log, { force: true });
    },
    async state() {
      const [printed, disabled] = [
        await launchctl("print", target),
        await launchctl("print-disabled", domain),
      ];
      const off = new RegExp(`"${LABEL.replaceAll(".", "\\.")}" => (?:true|disabled)`);
      return {
        installed: existsSync(file),
        running: RUNNING.test(printed.stdout),
        enabled: existsSync(file) && !off.test(disabled.stdout),
      };
    },
    async report() {
      const { stdout, stderr } = await launchctl("print", target);
      return { text: stdout || stderr, running: RUNNING.test(stdout) };
    },
    showLog: ({ lines, follow }) =>
      // -F goes on with a new file of that name.
      runner.show("tail", ["-n", String(lines), ...(follow ? ["-F"] : []), log]),
  };
}

function refused(args: readonly string[], ended: Ended): Failure {
  const said = (ended.stderr || ended.stdout).trim().split("\n")[0] ?? "";
  return new Failure(
    `"launchctl ${args.join(" ")}" ended with code ${ended.code}${said === "" ? "" : `: ${said}`}.`,
    `Log in on this Mac's own screen and try again, or run: ${PROGRAM} web`,
  );
}
