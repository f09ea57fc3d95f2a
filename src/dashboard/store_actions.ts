import { printable } from "../account/alias.ts";
import type { Device } from "../codex_cli/device.ts";
import type { Clock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import type { Environment, Paths } from "../platform/paths.ts";
import { isSettingName, listSettings, settingNames, writeSetting } from "../platform/settings.ts";
import { settingText } from "../platform/setting_text.ts";
import { importAccounts, previewImport } from "../store/import_accounts.ts";
import type { ImportRow } from "../store/import_plan.ts";
import { type ImportSource, readImportSource } from "../store/import_source.ts";
import type { LocalStore } from "../store/local.ts";
import { carryOver, olderSettings } from "../store/older_settings.ts";
import { deriveKey, isSealed, openEnvelope, readEnvelope } from "../store/seal.ts";
import { accountsToExport, sealExport, writeExport } from "../store/transfer.ts";
import { checkWritable } from "../store/writable.ts";
import { type Action, type ActionRequest, type Download, LENGTHS } from "./action.ts";
import { newSecret, type Session } from "./session.ts";

/** What concerns the store as a whole: opening it, settings, moving accounts in and out. */
export function storeActions({ store, others = [], paths, env, clock, issuer, device }: {
  readonly store: LocalStore;
  readonly others?: readonly LocalStore[];
  readonly paths: Paths;
  readonly env: Environment;
  readonly clock: Clock;
  /** Where our refreshes go. */
  readonly issuer: string;
  readonly device: Device;
}): Action[] {
  const setting = async ({ text }: ActionRequest, value: string | undefined) => {
    const name = text("name");
    if (!isSettingName(name)) {
      throw new Failure(
        `There is no setting "${printable(name)}".`,
        `Settings: ${settingNames().join(", ")}.`,
      );
    }
    const older = await olderSettings(store, paths);
    writeSetting(paths, name, value);
    carryOver(paths, older, name);
    const entry = listSettings(paths, env, () => {}).find((entry) => entry.name === name);
    if (entry === undefined) throw new Error(`The setting ${name} is missing from the list.`);
    return entry.source === "environment"
      ? `${name} is saved, but ${entry.env} is set and wins over the file.`
      : `${name} = ${settingText(name, entry.value)}`;
  };
  return [
    {
      path: "/unlock",
      fields: { passphrase: LENGTHS.passphrase },
      locked: true,
      async run({ text }) {
        const said = await unlock(store, others, text("passphrase"));
        // The Codex CLI's login waits since the start. What keeps it now, the page says.
        await device.sync().catch(() => {});
        return said;
      },
    },
    {
      path: "/settings",
      fields: { name: LENGTHS.word, value: LENGTHS.value },
      run: (request) => setting(request, request.text("value")),
    },
    {
      path: "/settings/reset",
      // The same form as the one that sets it.
      fields: { name: LENGTHS.word, value: LENGTHS.value },
      run: (request) => setting(request, undefined),
    },
    {
      path: "/export",
      fields: { passphrase: LENGTHS.passphrase, again: LENGTHS.passphrase },
      run: ({ text }) => exportAll(store, text("passphrase"), text("again"), clock.now()),
    },
    {
      path: "/import",
      fields: { file: 0, passphrase: LENGTHS.passphrase },
      run: async ({ file, text, session }) => {
        const upload = file("file");
        if (!upload || upload.size === 0) throw new Failure("No file was chosen.", "Choose one.");
        const json = await opened(store, await upload.text(), text("passphrase"));
        const source = readImportSource(json, { issuer, now: clock.now() });
        if (source.items.length === 0) throw new Failure("The file holds no accounts.");
        return await propose({ store, paths, clock }, session, upload.name, source);
      },
    },
    {
      path: "/import/apply",
      fields: { plan: LENGTHS.word },
      async run({ text, session }) {
        const { importing } = session;
        if (!importing || importing.model.id !== text("plan")) {
          throw new Failure("This import is not waiting any more.", "Choose the file again.");
        }
        session.importing = null;
        return await importing.apply();
      },
    },
    {
      path: "/import/drop",
      fields: { plan: LENGTHS.word },
      run({ session }) {
        session.importing = null;
        return "Nothing was imported.";
      },
    },
  ];
}

/** Opens a sealed store for this process; the passphrase is kept nowhere else. */
async function unlock(
  store: LocalStore,
  others: readonly LocalStore[],
  passphrase: string,
): Promise<string> {
  if (!(await store.load()).locked) return "The store is open already.";
  if (passphrase.trim() === "") throw new Failure("No passphrase was given.", "Type it in.");
  const undo = store.files.keyring.use(passphrase);
  const { locked } = await store.load();
  if (!locked) {
    for (const other of others) other.files.keyring.use(passphrase);
    return "The store is open, for this program until it ends.";
  }
  undo();
  throw new Failure("That passphrase does not open the store.", "Spaces and case count.");
}

async function exportAll(
  store: LocalStore,
  passphrase: string,
  again: string,
  now: number,
): Promise<Download> {
  if (passphrase.trim() === "") throw new Failure("The passphrase is blank.", "Choose one.");
  if (passphrase !== again) throw new Failure("The two passphrases differ.", "Type them again.");
  const { accounts } = await accountsToExport(store, now);
  if (accounts.length === 0) throw new Failure("There are no accounts to export.", "Add one.");
  const day = new Date(now).toISOString().slice(0, 10);
  return {
    name: `accounts-${day}.sealed`,
    text: await sealExport(writeExport(accounts, now), passphrase),
  };
}

/** The JSON of an uploaded file, opened if it is sealed. Never with the parser's own words: they quote the text. */
async function opened(store: LocalStore, text: string, passphrase: string): Promise<unknown> {
  const json = parse(text);
  if (!isSealed(json)) return json;
  const envelope = readEnvelope(json);
  if (!envelope) {
    throw new Failure("The file is sealed, and parts of the seal are missing.", "Copy it anew.");
  }
  if (passphrase !== "") {
    const plain = openEnvelope(envelope, await deriveKey(passphrase, envelope));
    if (plain !== undefined) return parse(plain);
    throw new Failure("That passphrase does not open the file.", "Spaces and case count.");
  }
  const { keyring } = store.files;
  const key = keyring.configured ? await keyring.withKeys(() => keyring.key(envelope)) : undefined;
  const plain = key && openEnvelope(envelope, key);
  if (plain !== undefined) return parse(plain);
  throw new Failure("The file is sealed.", "Give the passphrase it was sealed with.");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(
      "The file is not JSON, or was cut short.",
      "Give an export, an accounts.json, a Codex auth.json, or a JSON list of such accounts.",
    );
  }
}

/** Works out what an import would do and keeps it until the person has decided. */
async function propose(
  { store, paths, clock }: {
    readonly store: LocalStore;
    readonly paths: Paths;
    readonly clock: Clock;
  },
  session: Session,
  file: string,
  { kind, items }: ImportSource,
): Promise<string> {
  const rows = await previewImport(store, items, { now: clock.now() });
  session.importing = {
    model: {
      id: newSecret().slice(0, 16),
      file: printable(file),
      kind,
      rows: rows.map(({ alias, email, action, why }) => ({
        alias,
        email: email ?? null,
        action,
        why,
      })),
    },
    async apply() {
      checkWritable(paths.folder);
      return doneText(await importAccounts(store, items, { now: clock.now() }));
    },
  };
  const changes = rows.filter(({ account }) => account !== undefined).length;
  return changes === 0
    ? "Nothing in this file is new."
    : `${changes} of ${rows.length} would be taken over; confirm it below.`;
}

function doneText(rows: readonly ImportRow[]): string {
  const count = (...actions: ImportRow["action"][]) =>
    rows.filter(({ action }) => actions.includes(action)).length;
  return `${count("add")} added, ${count("update")} updated, ${
    count("unchanged", "kept")
  } left as they are, ${count("refused")} refused.`;
}
