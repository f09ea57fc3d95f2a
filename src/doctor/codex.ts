import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type FileSystem, readTextIfExists, statIfExists } from "../platform/files.ts";
import { homeFolder, set } from "../platform/paths.ts";
import { type Check, type Finding, type Look, ok, warning } from "./check.ts";
import { onPath } from "./find_opencode.ts";
import { isOlder, type ProgramEnd, versionIn } from "./program.ts";
import type { Surroundings } from "./surroundings.ts";

const GROUP = "Codex CLI";
/** The oldest Codex CLI that this was tried with. */
const TRIED = "0.169.0";
const VERSION_MS = 15_000;
const UPDATE = "npm install -g @openai/codex@latest";

/** The Codex CLI of this machine. It is not needed for OpenCode. */
export function codexChecks(surroundings: Surroundings): readonly Check[] {
  return [
    {
      group: GROUP,
      name: "program",
      limitMs: VERSION_MS + 5_000,
      look: (signal) => program(surroundings, signal),
    },
    { group: GROUP, name: "credential store", look: () => credentials(surroundings) },
  ];
}

async function program(surroundings: Surroundings, signal: AbortSignal): Promise<Look> {
  const { env, run, temporary } = surroundings;
  const name = "program";
  const asked = set(env["CODEX_CLI_BIN"]);
  const path = asked !== undefined && /[\\/]/.test(asked) ? asked : onPath(asked ?? "codex", env);
  if (path === undefined) {
    const text = "There is no Codex CLI; it is needed only for switching it and for its limits.";
    return { findings: [ok(name, text)] };
  }
  const home = mkdtempSync(join(temporary, "opencode-multi-auth-doctor-"));
  let end: ProgramEnd;
  try {
    const own = { ...env, HOME: home, CODEX_HOME: home };
    end = await run(path, ["--version"], { env: own, folder: home, limitMs: VERSION_MS, signal });
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
  const version = end.code === 0 ? versionIn(end.stdout) : undefined;
  if (version === undefined) {
    const why = end.why ?? `code ${end.code}`;
    return {
      findings: [warning(name, `${path} --version fails (${why}).`, `Install it anew: ${UPDATE}`)],
    };
  }
  const finding = isOlder(version, TRIED)
    ? warning(
      name,
      `Codex CLI ${version} is older than ${TRIED}, which this was tried with.`,
      UPDATE,
    )
    : ok(name, `Codex CLI ${version}, ${path}`);
  return { findings: [finding] };
}

function credentials({ env, files }: Surroundings): Look {
  const name = "credential store";
  const home = set(env["CODEX_HOME"]) ?? join(homeFolder(env), ".codex");
  if (statIfExists(home, files) === undefined) return { findings: [] };
  const kind = storeKind(join(home, "config.toml"), files);
  const path = join(home, "auth.json");
  const stat = statIfExists(path, files);
  const findings: Finding[] = [];
  if (kind === "file" || kind === "auto") {
    const place = stat === undefined ? "is signed out" : `keeps its login in ${path}`;
    findings.push(ok(name, `The Codex CLI ${place} (credential store: ${kind}).`));
  } else {
    findings.push(
      warning(
        name,
        `The Codex CLI keeps its login elsewhere (credential store: ${kind}); it cannot be read or ` +
          "switched here.",
        `Set cli_auth_credentials_store = "file" in ${join(home, "config.toml")}.`,
      ),
    );
  }
  const open = files.platform !== "win32" && stat !== undefined && (stat.mode & 0o077) !== 0;
  if (open) {
    findings.push(
      warning(
        "auth.json mode",
        `Other users may reach ${path}.`,
        `Keep it to yourself: chmod 600 "${path}"`,
        `Take the rights of other users from ${path}?`,
      ),
    );
  }
  return {
    findings,
    mend() {
      if (open) files.chmod(path, 0o600);
      return {};
    },
  };
}

/** What the top of `config.toml` says; `file` where it says nothing. */
function storeKind(path: string, files: FileSystem): string {
  const top = (readTextIfExists(path, files) ?? "").split(/^\s*\[/m)[0] ?? "";
  return /^\s*cli_auth_credentials_store\s*=\s*["'](\w+)["']/m.exec(top)?.[1] ?? "file";
}
