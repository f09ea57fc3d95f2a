import { Failure, messageOf } from "../platform/failure.ts";
import { readTextIfExists, repairMode, statIfExists, writeFileAtomic } from "../platform/files.ts";
import { freeBytes, ROOM_BYTES } from "../platform/free_space.ts";
import { set } from "../platform/paths.ts";
import { readSettings } from "../platform/settings.ts";
import { resolveEndpoints } from "../platform/endpoints.ts";
import { openLocalStore } from "../store/local.ts";
import { olderSettings } from "../store/older_settings.ts";
import { type Check, type Finding, type Look, ok, warning, wrong } from "./check.ts";
import { AGAIN, failed, partsOf } from "./examination.ts";
import { fileModes } from "./file_modes.ts";
import { lookAtStore, lookIfReadable, type See } from "./look_only.ts";
import { sealOf } from "./seal.ts";
import { stateDamage } from "./state.ts";
import type { Surroundings } from "./surroundings.ts";

const GROUP = "Store";

/** A passphrase command may have to ask the person, so this takes longer, in milliseconds. */
const STORE_MS = 30_000;

/** The checks of the store: its files, their modes, the seal, the settings. */
export function storeChecks(
  surroundings: Surroundings,
  see: See = (use) => lookAtStore(surroundings, use),
): readonly Check[] {
  const check = (name: string, look: Check["look"], limitMs?: number): Check => ({
    group: GROUP,
    name,
    look,
    ...(limitMs === undefined ? {} : { limitMs }),
  });
  return [
    check("accounts file", () => accountsFile(surroundings, see), STORE_MS),
    check("state", () => state(surroundings, see), STORE_MS),
    check("file modes", () => fileModes(surroundings)),
    check("disk space", () => space(surroundings)),
    check("seal", () => sealOf(surroundings)),
    check("settings", () => settings(surroundings, see), STORE_MS),
  ];
}

async function accountsFile(surroundings: Surroundings, see: See): Promise<Look> {
  const name = "accounts file";
  const { paths, files } = surroundings;
  try {
    return await see(({ snapshot, warnings, store }) => {
      // What concerns state.db is said there.
      const about = warnings.filter((text) => !text.startsWith(paths.state));
      const last = store.files.accounts.last;
      if (last?.kind === "locked") {
        const { text, fix } = partsOf(last.why);
        return { findings: [wrong(name, `The store is locked: ${text}`, fix)] };
      }
      const missing = last?.kind === "absent";
      if (missing && statIfExists(paths.accountsBackup, files) !== undefined) {
        const text = `${paths.accounts} is missing; its last good copy is there.`;
        return takeCopy(surroundings, wrong(name, text, ...copyFix(surroundings)));
      }
      const count = snapshot.accounts.length;
      const found = missing
        ? ok(name, `There is no store yet; the first account makes ${paths.accounts}.`)
        : ok(name, `${paths.accounts} holds ${count} ${count === 1 ? "account" : "accounts"}.`);
      const mended = `Mend that entry in ${paths.accounts}, or delete it and sign in again.`;
      const left = about.map((text) => warning("accounts left out", text, mended));
      return { findings: [found, ...left] };
    });
  } catch (error) {
    const [finding] = failed(name, error).findings;
    if (finding === undefined || !messageOf(error).includes("last good copy")) throw error;
    return takeCopy(surroundings, { ...finding, ...named(copyFix(surroundings)) });
  }
}

function copyFix({ paths }: Surroundings): [fix: string, mend: string] {
  return [
    `Take the last good copy: cp "${paths.accountsBackup}" "${paths.accounts}"`,
    `Put the last good copy in the place of ${paths.accounts}?`,
  ];
}

function named([fix, mend]: [string, string]): Pick<Finding, "fix" | "mend"> {
  return { fix, mend };
}

/** The broken file stays beside the good one: somebody may find a token in it that is nowhere else. */
function takeCopy({ paths, files, clock }: Surroundings, finding: Finding): Look {
  return {
    findings: [finding],
    mend() {
      const good = readTextIfExists(paths.accountsBackup, files);
      if (good === undefined) throw new Failure(`${paths.accountsBackup} is gone.`);
      const backups: string[] = [];
      if (statIfExists(paths.accounts, files) !== undefined) {
        const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, "");
        const kept = `${paths.accounts}.broken-${stamp}`;
        files.rename(paths.accounts, kept);
        repairMode(kept, files);
        backups.push(kept);
      }
      writeFileAtomic(paths.accounts, good, { files });
      return { backups };
    },
  };
}

async function state(surroundings: Surroundings, see: See): Promise<Look> {
  const name = "state";
  const { paths, files, env, clock, random } = surroundings;
  if (statIfExists(paths.state, files) === undefined) {
    return { findings: [ok(name, "There is no state.db yet; the first request makes it.")] };
  }
  const damage = await stateDamage(surroundings);
  if (damage !== undefined) {
    const text = `${paths.state} is damaged (${damage}). It holds figures, never an account.`;
    const finding = wrong(
      name,
      text,
      "The next command sets it aside and begins a new one; counts and figures start anew.",
      `Set ${paths.state} aside and begin a new one?`,
    );
    return {
      findings: [finding],
      async mend() {
        const store = await openLocalStore({ paths, env, clock, random });
        try {
          await store.load();
          const kept = store.warnings.map((one) => /is now (\S+\.corrupt-\S+?);/.exec(one)?.[1]);
          return { backups: kept.filter((path) => path !== undefined) };
        } finally {
          await store.close();
        }
      },
    };
  }
  return await lookIfReadable(see, ({ warnings }) => {
    const about = warnings.filter((text) => text.startsWith(paths.state));
    if (about.length === 0) return { findings: [ok(name, `${paths.state} can be read.`)] };
    const slow = "Nothing is lost. To have it faster, move the store to a local disk with " +
      "OPENCODE_MULTI_AUTH_STORE_DIR.";
    return {
      findings: about.map((text) =>
        warning(name, text, text.includes("rollback journal") ? slow : AGAIN)
      ),
    };
  });
}

/** Only a full disk is worth a word. */
function space({ paths, freeBytes: free = freeBytes }: Surroundings): Look {
  if (free(paths.folder) >= ROOM_BYTES) return { findings: [] };
  const text = `The disk of ${paths.folder} is full: neither tokens nor figures can be kept.`;
  return { findings: [wrong("disk space", text, "Free some space.")] };
}

async function settings({ paths, env }: Surroundings, see: See): Promise<Look> {
  const name = "settings";
  const older = await see(({ store }) => olderSettings(store, paths)).catch(() => ({}));
  const { strategy } = readSettings(paths, env, older);
  const { issuer, backend } = resolveEndpoints(env);
  const moved = (["ISSUER", "BACKEND"] as const).flatMap((which) =>
    set(env[`OPENCODE_MULTI_AUTH_${which}_URL`]) === undefined ? [] : [warning(
      `${which.toLowerCase()} address`,
      `OPENCODE_MULTI_AUTH_${which}_URL is set: tokens go to ${
        which === "ISSUER" ? issuer : backend
      }.`,
      "Unset it unless you mean that.",
    )]
  );
  return { findings: [ok(name, `Settings can be read; strategy ${strategy}.`), ...moved] };
}
