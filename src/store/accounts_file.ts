import type { Clock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import {
  type FileStat,
  type FileSystem,
  statIfExists,
  writeFileAtomic,
} from "../platform/files.ts";
import type { Paths } from "../platform/paths.ts";
import { unwritable } from "../platform/save_file.ts";
import { keepLastCopy, removeLeftovers, removeQuietly, sealCopies } from "./accounts_copies.ts";
import { unreadable } from "./accounts_failure.ts";
import {
  type Document,
  entryProblems,
  FILE_VERSION,
  MAX_FILE_BYTES,
  readDocument,
  writeDocument,
} from "./accounts_format.ts";
import { type Changeable, type Contents, readContents } from "./accounts_reading.ts";
import type { Keyring } from "./keyring.ts";
import { isStrong, type KeyParameters, sealText } from "./seal.ts";

/**
 * `accounts.json`: read, checked, and written whole. Callers hold the lock of
 * `state.db` while they read and write, so that no change is lost.
 */
export class AccountsFile {
  #contents: Contents | undefined;
  #cleaned = false;
  #plainCopies: readonly string[] = [];

  constructor(
    readonly paths: Paths,
    readonly files: FileSystem,
    private readonly keyring: Keyring,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}

  /** What the person should know about the file and its copies. */
  get warnings(): readonly string[] {
    return [...this.#problems(), ...this.plainCopies];
  }

  /** Which copies could not be sealed with it, one sentence each. */
  get plainCopies(): readonly string[] {
    return this.#plainCopies;
  }

  /** A text that changes with the file, from one look at it; empty when there is none. */
  stamp(): string {
    return stampOf(this.#stat());
  }

  /**
   * What the file holds now. It is read only when its stamp has changed.
   *
   * @throws {Failure} when it cannot be read or is no file of ours; nothing is changed then.
   * @throws {KeyNeeded} when it is sealed and its key was not derived yet.
   */
  read(): Contents {
    const stat = this.#stat();
    const stamp = stampOf(stat);
    if (!stat) return this.#contents = { kind: "absent", stamp: "" };
    // A locked one is tried again: the passphrase may be there now.
    if (this.#contents?.stamp === stamp && this.#contents.kind !== "locked") return this.#contents;
    const { paths, files, keyring } = this;
    return this.#contents = readContents(stat, stamp, paths, files, keyring, this.clock.now());
  }

  /** Reads it anew next time, whatever its stamp says. */
  forget(): void {
    this.#contents = undefined;
  }

  /** What was read last, without a look at the file. */
  get last(): Contents | undefined {
    return this.#contents;
  }

  /** The same as {@linkcode read}, for somebody who is about to write. Throws what keeps it from being written. */
  readToChange(): Changeable {
    const contents = this.read();
    if (contents.kind === "locked") throw contents.why;
    this.checkWritable();
    return contents;
  }

  /** Throws a {@linkcode Failure} when the person has made the file read-only. A rename would not mind. */
  checkWritable(): void {
    if (!this.#readOnly()) return;
    throw new Failure(
      `${this.paths.accounts} is read-only; nothing was changed.`,
      `To let it be written: chmod 600 "${this.paths.accounts}"`,
    );
  }

  /**
   * Replaces the file, durably, and then its last good copy. An older format is
   * kept beside it. With a passphrase no plain copy stays.
   *
   * @param anew Whether it is sealed, and how, is decided without regard to how it was before.
   * @throws {Failure} when it cannot be written; the old file is whole then.
   * @throws {KeyNeeded} when it is to be sealed and the key was not derived yet.
   */
  write(before: Changeable, document: Document, anew = false): void {
    const key = this.#keyForWriting(anew ? undefined : before.sealed);
    const seal = (text: string) => key ? sealText(text, key.parameters, key.key) : text;
    const written = { ...document, version: FILE_VERSION };
    const plain = writeDocument(document);
    const text = seal(plain);
    if (new TextEncoder().encode(text).length > MAX_FILE_BYTES) {
      throw new Failure(
        `${this.paths.accounts} would be larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB.`,
        "Remove accounts that you no longer need.",
      );
    }
    if (before.kind === "absent") this.#keepLastCopy();
    else if (before.document.version < FILE_VERSION) {
      const old = before.sealed ? before.text : seal(before.text);
      this.#save(`${this.paths.accounts}.v${before.document.version}`, old);
    }
    if (key) {
      // Plain copies go before the sealed file is there: whatever stops us in
      // between, it is never a sealed store with plain copies beside it.
      if (anew || !before.sealed) this.#copy(text);
      this.#plainCopies = sealCopies(this.paths.accounts, this.files, seal).map((path) =>
        `${path} holds tokens in plain text and could not be removed. Remove it by hand.`
      );
    }
    this.#save(this.paths.accounts, text);
    this.#copy(text);
    if (!this.#cleaned) removeLeftovers(this.paths.accounts, this.files);
    this.#cleaned = true;
    // Read back, so that what we remember is what the file says.
    const parsed = readDocument(JSON.parse(plain), this.clock.now());
    this.#contents = {
      kind: "open",
      stamp: this.stamp(),
      document: "wrong" in parsed ? written : parsed,
      text,
      sealed: key?.parameters,
    };
  }

  #readOnly(): boolean {
    const stat = this.#stat();
    return stat !== undefined && this.files.platform !== "win32" && (stat.mode & 0o200) === 0;
  }

  #problems(): readonly string[] {
    const { accounts, accountsBackup } = this.paths;
    const fix = `To let it be written: chmod 600 "${accounts}"`;
    switch (this.#contents?.kind) {
      case "open":
        return [
          ...entryProblems(accounts, this.#contents.document.entries),
          ...(this.#readOnly()
            ? [`${accounts} is read-only: tokens cannot be renewed. ${fix}`]
            : []),
        ];
      case "locked":
        return [this.#contents.why.message];
      case "absent":
        return statIfExists(accountsBackup, this.files) === undefined ? [] : [
          `${accounts} is missing, its last good copy is there. To take it: cp "${accountsBackup}" "${accounts}"`,
        ];
      default:
        return [];
    }
  }

  #stat(): FileStat | undefined {
    try {
      return statIfExists(this.paths.accounts, this.files);
    } catch (error) {
      throw unreadable(this.paths.accounts, error);
    }
  }

  #keyForWriting(
    sealed: KeyParameters | undefined,
  ): { readonly key: Uint8Array; readonly parameters: KeyParameters } | undefined {
    if (!sealed && !this.keyring.configured) return undefined;
    const parameters = sealed && isStrong(sealed) ? sealed : this.keyring.fresh;
    const key = this.keyring.key(parameters);
    if (key) return { key, parameters };
    throw this.keyring.problem ?? new Failure(
      `${this.paths.accounts} is to be sealed and there is no passphrase.`,
      "Set CODEX_SOFT_STORE_PASSPHRASE.",
    );
  }

  #save(path: string, text: string): void {
    try {
      writeFileAtomic(path, text, {
        files: this.files,
        clock: this.clock,
        random: this.random,
      });
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  #keepLastCopy(): void {
    const { accounts, accountsBackup } = this.paths;
    try {
      keepLastCopy(accounts, accountsBackup, this.files);
    } catch (error) {
      throw unwritable(accountsBackup, error);
    }
  }

  /** The last good copy is what was just saved: an older one would hold consumed tokens. */
  #copy(text: string): void {
    try {
      this.#save(this.paths.accountsBackup, text);
    } catch {
      // The accounts themselves are what counts. But a copy from before may
      // hold consumed tokens, or plain ones where all is to be sealed.
      removeQuietly(this.paths.accountsBackup, this.files);
    }
  }
}

function stampOf(stat: FileStat | undefined): string {
  return stat ? `${stat.ino}/${stat.size}/${stat.mtimeMs}` : "";
}
