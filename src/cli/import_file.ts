import { resolve } from "node:path";
import { resolveEndpoints } from "../platform/endpoints.ts";
import { errorCode, Failure, messageOf } from "../platform/failure.ts";
import { systemFiles } from "../platform/files.ts";
import { set } from "../platform/paths.ts";
import type { ImportSource } from "../store/import_source.ts";
import type { Envelope } from "../store/seal.ts";
import { askToOpen, canAsk } from "./ask_passphrase.ts";
import type { Context } from "./context.ts";
import { EXPORT_PASSPHRASE } from "./export.ts";

/**
 * Reads a file that is to be imported, opening it when it is sealed.
 *
 * @param file As the person typed it.
 * @throws {Failure} that names the file, when it cannot be read, opened or understood.
 */
export async function readImportFile(context: Context, file: string): Promise<ImportSource> {
  const path = resolve(context.folder, file);
  const json = parse(path, await read(path));
  const { isSealed } = await import("../store/seal.ts");
  const opened = isSealed(json) ? parse(path, await openSealed(context, path, json)) : json;
  const { readImportSource } = await import("../store/import_source.ts");
  const { issuer } = resolveEndpoints(context.env);
  try {
    return readImportSource(opened, { issuer, now: context.clock.now() });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(`${path}: ${error.message}`);
  }
}

async function read(path: string): Promise<string> {
  const { MAX_FILE_BYTES } = await import("../store/accounts_format.ts");
  try {
    const stat = systemFiles.stat(path);
    if (stat.isDirectory()) throw new Failure(`${path} is a folder.`, "Name a file in it.");
    if (stat.size > MAX_FILE_BYTES) {
      throw new Failure(
        `${path} is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB.`,
        "That is no file of accounts.",
      );
    }
    return new TextDecoder().decode(systemFiles.read(path));
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = errorCode(error);
    throw code === "ENOENT"
      ? new Failure(`There is no file ${path}.`, "Check the name.")
      : new Failure(`${path} cannot be read (${code ?? messageOf(error)}).`, "Check its rights.");
  }
}

/** Never with the parser's own words: they quote the text, and that may be a token. */
function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(
      `${path} is not JSON, or was cut short.`,
      "Give an export, an accounts.json, a Codex auth.json, or a JSON list of such accounts.",
    );
  }
}

/** Opens it with the passphrase of exports, else with the store's, else with one that is asked for. */
async function openSealed(context: Context, path: string, json: unknown): Promise<string> {
  const { deriveKey, openEnvelope, readEnvelope } = await import("../store/seal.ts");
  const envelope = readEnvelope(json);
  if (!envelope) {
    throw new Failure(`${path} is sealed, and parts of the seal are missing.`, "Copy it anew.");
  }
  const open = async (passphrase: string) =>
    openEnvelope(envelope, await deriveKey(passphrase, envelope));
  const given = set(context.env[EXPORT_PASSPHRASE]);
  const text = (given === undefined ? undefined : await open(given)) ??
    await openWithStorePassphrase(context, envelope) ??
    await askToOpen(context, "Passphrase of the file", open);
  if (text !== undefined) return text;
  throw new Failure(
    given === undefined && !canAsk(context)
      ? `${path} is sealed and its passphrase is not known.`
      : `No passphrase opened ${path}.`,
    `Set ${EXPORT_PASSPHRASE} to the one it was sealed with; spaces count.`,
  );
}

async function openWithStorePassphrase(
  context: Context,
  envelope: Envelope,
): Promise<string | undefined> {
  const { Keyring } = await import("../store/keyring.ts");
  const { openEnvelope } = await import("../store/seal.ts");
  const keyring = new Keyring(context.env, context.clock);
  if (!keyring.configured) return undefined;
  const key = await keyring.withKeys(() => keyring.key(envelope));
  return key && openEnvelope(envelope, key);
}
