import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { printable } from "../account/alias.ts";
import { codexDevice } from "../codex_cli/codex_device.ts";
import { codexHome } from "../codex_cli/codex_home.ts";
import { STORE_SETTING } from "../codex_cli/credential_store.ts";
import type { DeviceState } from "../codex_cli/device.ts";
import { codexEnvironment, INSTALL, locateCodex } from "../codex_cli/program.ts";
import { resolveEndpoints } from "../platform/endpoints.ts";
import { statIfExists } from "../platform/files.ts";
import { set } from "../platform/paths.ts";
import { PROGRAM } from "../platform/version.ts";
import type { Snapshot } from "../store/store.ts";
import { type Check, type Finding, type Look, ok, warning } from "./check.ts";
import { lookAtStore, lookIfReadable, type See } from "./look_only.ts";
import { findPermitted, isOlder, type ProgramEnd, versionIn } from "./program.ts";
import type { Surroundings } from "./surroundings.ts";

const GROUP = "Codex CLI";
/** The oldest Codex CLI that this was tried with. */
const TRIED = "0.169.0";
/** How long `--version` may take, in milliseconds. */
const VERSION_MS = 20_000;

/** The Codex CLI of this machine. OpenCode does not need it. */
export function codexChecks(
  surroundings: Surroundings,
  see: See = (use) => lookAtStore(surroundings, use),
): readonly Check[] {
  return [
    {
      group: GROUP,
      name: "program",
      limitMs: VERSION_MS + 5_000,
      look: (signal) => program(surroundings, signal),
    },
    { group: GROUP, name: "login", limitMs: 30_000, look: () => login(surroundings, see) },
  ];
}

async function program(surroundings: Surroundings, signal: AbortSignal): Promise<Look> {
  const { env, folder, files, run, temporary } = surroundings;
  const name = "program";
  const path = findPermitted(files, (seen) => locateCodex(env, folder, seen));
  if (path === undefined) {
    const asked = set(env["CODEX_CLI_BIN"]);
    if (asked !== undefined) {
      const text = `CODEX_CLI_BIN names ${asked}, where no program is.`;
      return { findings: [warning(name, text, "Mend it, or unset it.")] };
    }
    const text = "There is no Codex CLI; it is needed only for switching it and for its limits.";
    return { findings: [ok(name, text)] };
  }
  const home = mkdtempSync(join(temporary, "opencode-multi-auth-doctor-"));
  let end: ProgramEnd;
  try {
    const own = { ...codexEnvironment(env, home), HOME: home };
    end = await run(path, ["--version"], { env: own, folder: home, limitMs: VERSION_MS, signal });
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
  const version = end.code === 0 ? versionIn(end.stdout) : undefined;
  if (version === undefined) {
    const text = `${path} --version fails (${end.why ?? `code ${end.code}`}).`;
    return { findings: [warning(name, text, `Install it anew: ${INSTALL}`)] };
  }
  if (!isOlder(version, TRIED)) return { findings: [ok(name, `Codex CLI ${version}, ${path}`)] };
  const text = `Codex CLI ${version} is older than ${TRIED}, which this was tried with.`;
  return { findings: [warning(name, text, `Update it: ${INSTALL}`)] };
}

function login(surroundings: Surroundings, see: See): Promise<Look> {
  const { env, clock, random } = surroundings;
  return lookIfReadable(see, async ({ store, snapshot, files }) => {
    if (statIfExists(codexHome(env), files) === undefined) return { findings: [] };
    const { issuer } = resolveEndpoints(env);
    const state = await codexDevice({ store, env, issuer, clock, random, files }).state();
    return withMode(surroundings, state, [
      kept(state, codexHome(env)),
      // Whose login it is shows only beside the accounts.
      snapshot.locked ? undefined : held(state, snapshot),
    ]);
  });
}

/** Where its login is kept. */
function kept({ credentialStore, content }: DeviceState, home: string): Finding | undefined {
  const name = "credential store";
  if (content.kind === "unreadable") return undefined;
  if (credentialStore === "file") return ok(name, "The Codex CLI keeps its login in a file.");
  const fix = `Set ${STORE_SETTING} = "file" in ${join(home, "config.toml")} to have it switched.`;
  if (credentialStore === "auto") {
    const text = "The Codex CLI keeps its login in the system's keyring where there is one (auto).";
    return warning(name, text, fix);
  }
  const text = `The Codex CLI keeps its login elsewhere (${credentialStore}), where it cannot be ` +
    "read or switched.";
  return warning(name, text, fix);
}

/** Writes another login in the place of one that cannot be used. */
const ANEW = "To sign in anew: codex login";

/** Whose login it is. */
function held({ content, path }: DeviceState, { accounts }: Snapshot): Finding | undefined {
  const name = "login";
  switch (content.kind) {
    case "absent":
    case "elsewhere":
      return undefined;
    case "api key":
      return ok(name, "The Codex CLI is signed in with an API key.");
    case "account": {
      const alias = accounts.find(({ id }) => id === content.accountId)?.alias ?? "an account";
      return ok(name, `The Codex CLI is signed in with "${printable(alias)}".`);
    }
    case "stranger": {
      const who = content.email === undefined ? "" : ` of ${printable(content.email)}`;
      const text = `The Codex CLI holds a login${who} that is not in the store: ${content.why}`;
      if (content.reason === "refused") return warning(name, text, ANEW);
      // One that was removed by the person comes back only by their word.
      if (content.reason === "removed") return ok(name, text);
      return warning(name, text, `Take it over: ${PROGRAM} sync`);
    }
    case "unreadable":
      return warning(
        name,
        `What the Codex CLI keeps at ${path} cannot be read: ${content.why}`,
        `Mend it by hand. ${ANEW}`,
      );
  }
}

function withMode(
  { files }: Surroundings,
  { path }: DeviceState,
  found: readonly (Finding | undefined)[],
): Look {
  const findings = found.filter((finding) => finding !== undefined);
  const stat = files.platform === "win32" ? undefined : statIfExists(path, files);
  const open = stat !== undefined && (stat.mode & 0o077) !== 0;
  if (!open) return { findings };
  const mode = warning(
    "auth.json mode",
    `Other users may reach ${path}, which holds a login.`,
    `Keep it to yourself: chmod 600 "${path}"`,
    `Take the rights of other users from ${path}?`,
  );
  return {
    findings: [...findings, mode],
    mend() {
      files.chmod(path, 0o600);
      return {};
    },
  };
}
