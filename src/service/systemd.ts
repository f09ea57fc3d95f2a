import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../platform/failure.ts";
import { readTextIfExists } from "../platform/files.ts";
import { configHome, type Environment, homeFolder, resolvePaths } from "../platform/paths.ts";
import { saveFile } from "../platform/save_file.ts";
import { PROGRAM } from "../platform/version.ts";
import { environmentFile, variablesIn } from "./environment_file.ts";
import type { Ended, ProgramRunner } from "./program_runner.ts";
import type { ServiceManager } from "./service.ts";
import { systemdUnit, unitSettings } from "./systemd_unit.ts";

/** The unit's name, the one that the projects before us used, so that theirs is replaced. */
export const UNIT = "codex-soft.service";

/** The person's own systemd. */
export function systemd(env: Environment, runner: ProgramRunner): ServiceManager {
  const folder = join(configHome(env), "systemd", "user");
  const file = join(folder, UNIT);
  const environment = join(resolvePaths(env).folder, "service.env");
  const systemctl = (...args: string[]) => runner.run("systemctl", ["--user", ...args]);
  const must = async (...args: string[]) => {
    const ended = await systemctl(...args);
    if (ended.code !== 0) throw refused(args, ended, existsSync(file) ? file : undefined);
  };
  const read = () => readTextIfExists(file);
  const state = async () => {
    const shown = await systemctl("show", UNIT, "--property=ActiveState,UnitFileState");
    const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(shown.stdout)?.[1];
    return {
      installed: existsSync(file),
      running: value("ActiveState") === "active",
      enabled: value("UnitFileState") === "enabled",
    };
  };
  return {
    name: "systemd",
    kind: "systemd user service",
    service: UNIT,
    file,
    present() {
      const unit = read();
      if (unit === undefined) return undefined;
      const variables = variablesIn(readTextIfExists(environment) ?? "");
      return { ...unitSettings(unit), environment: variables };
    },
    async install({ command, environment: variables }) {
      const unit = systemdUnit(command, environment);
      const variablesText = environmentFile(variables);
      const before = read();
      const changed = before !== undefined &&
        (before !== unit || readTextIfExists(environment) !== variablesText);
      saveFile(environment, variablesText);
      saveFile(file, unit);
      await must("daemon-reload");
      await must("enable", "--now", UNIT);
      // What runs already keeps its old command until it is started anew.
      if (changed) await must("restart", UNIT);
      return { notices: lingers(env) ? [] : [LINGER] };
    },
    async disable() {
      await must("disable", "--now", UNIT);
    },
    async uninstall() {
      // Where systemd is out of reach nothing of it runs either; the files go all the same.
      if (existsSync(file)) await systemctl("disable", "--now", UNIT);
      rmSync(file, { force: true });
      rmSync(environment, { force: true });
      await systemctl("daemon-reload");
    },
    state,
    async report() {
      const { code, stdout, stderr } = await systemctl("status", UNIT, "--no-pager");
      // 3 and more: it does not run, or is not known.
      return { text: stdout || stderr, running: code === 0 };
    },
    showLog: ({ lines, follow }) =>
      runner.show("journalctl", [
        "--user",
        `--user-unit=${UNIT}`,
        `--lines=${lines}`,
        "--no-pager",
        ...(follow ? ["--follow"] : []),
      ]),
  };
}

const LINGER = "It runs while you are logged in. To keep it running from boot to shutdown: " +
  "loginctl enable-linger";

/** Whether the person's services outlive their sessions. */
function lingers(env: Environment): boolean {
  const name = env["USER"] ?? env["LOGNAME"] ?? homeFolder(env).split("/").at(-1) ?? "";
  return /^[\w.-]+$/.test(name) && existsSync(join("/var/lib/systemd/linger", name));
}

function refused(args: readonly string[], ended: Ended, file: string | undefined): Failure {
  const said = (ended.stderr || ended.stdout).trim().split("\n")[0] ?? "";
  const command = `systemctl --user ${args.join(" ")}`;
  if (/connect to (?:user scope )?bus|not been booted with systemd|no medium found/i.test(said)) {
    return new Failure(
      `Your systemd cannot be reached ("${said}")${
        file === undefined ? "." : `; ${file} is kept.`
      }`,
      "Log in as yourself (not by su or sudo, not in a container) and run this again, or run: " +
        `${PROGRAM} web`,
    );
  }
  return new Failure(
    `"${command}" ended with code ${ended.code}${said === "" ? "" : `: ${said}`}.`,
    `See: ${PROGRAM} service logs`,
  );
}
