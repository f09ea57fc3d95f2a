import { basename, join } from "node:path";
import { readTextIfExists } from "../platform/files.ts";
import { set } from "../platform/paths.ts";
import { PROGRAM } from "../platform/version.ts";
import { isSealed } from "../store/seal.ts";
import { type Look, ok, warning, wrong } from "./check.ts";
import { some } from "./file_modes.ts";
import type { Surroundings } from "./surroundings.ts";

/** Plain copies beside a sealed store, and a passphrase that seals nothing. */
export function sealOf({ paths, files, env }: Surroundings): Look {
  const name = "seal";
  const text = attempt(() => readTextIfExists(paths.accounts, files));
  const configured = set(env["CODEX_SOFT_STORE_PASSPHRASE"]) !== undefined ||
    set(env["CODEX_SOFT_STORE_PASSPHRASE_COMMAND"]) !== undefined;
  if (text === undefined) return { findings: [] };
  if (!sealed(text)) {
    if (!configured) {
      const plain = "The accounts are not sealed; the file's mode keeps them to you.";
      return { findings: [ok(name, plain)] };
    }
    return {
      findings: [
        warning(
          name,
          "There is a passphrase, and the accounts are not sealed yet.",
          `Seal them now: ${PROGRAM} seal`,
        ),
      ],
    };
  }
  const copies = (attempt(() => files.list(paths.folder)) ?? [])
    .filter((one) => one.startsWith(`${basename(paths.accounts)}.`))
    .map((one) => join(paths.folder, one))
    .filter((path) => {
      const copy = attempt(() => readTextIfExists(path, files));
      return copy !== undefined && !sealed(copy);
    });
  if (copies.length === 0) {
    return { findings: [ok(name, "The accounts are sealed, and no plain copy lies beside them.")] };
  }
  return {
    findings: [
      wrong(
        name,
        `The accounts are sealed, and ${some(copies)} holds them in plain text.`,
        `Remove what you do not need: rm ${copies.map((path) => `"${path}"`).join(" ")}`,
      ),
    ],
  };
}

function sealed(text: string): boolean {
  return attempt(() => isSealed(JSON.parse(text))) ?? false;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
