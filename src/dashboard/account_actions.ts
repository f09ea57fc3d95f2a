import type { Account } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import type { Device } from "../codex_cli/device.ts";
import { clearSandbox, sandboxFolder } from "../codex_cli/sandbox.ts";
import type { Clock } from "../platform/clock.ts";
import { parseDuration } from "../platform/duration.ts";
import { Failure } from "../platform/failure.ts";
import type { Environment } from "../platform/paths.ts";
import {
  describeAccount,
  disableAccount,
  enableAccount,
  pinAccount,
  readTags,
  renameAccount,
  restoreAccount,
} from "../store/by_hand.ts";
import type { Snapshot, Store } from "../store/store.ts";
import { type Action, type ActionRequest, LENGTHS } from "./action.ts";

/** What a person decides about one account. */
export function accountActions({ store, device, clock, env }: {
  readonly store: Store;
  readonly device: Device;
  readonly clock: Clock;
  readonly env: Environment;
}): Action[] {
  const on = (
    verb: string,
    fields: Action["fields"],
    run: (account: Account, request: ActionRequest, snapshot: Snapshot) => Promise<string>,
  ): Action => ({
    path: `/accounts/:id/${verb}`,
    fields,
    async run(request) {
      const snapshot = await store.load();
      return await run(accountWith(snapshot, request.accountId), request, snapshot);
    },
  });
  const sandboxOf = ({ alias }: Account, { accounts }: Snapshot) =>
    sandboxFolder(alias, accounts.map((one) => one.alias), env);
  return [
    on("rename", { alias: LENGTHS.alias }, async (account, { text }, snapshot) => {
      const alias = text("alias").trim();
      await renameAccount(store, account, alias);
      // Its next one has another name, and whoever removes the account looks there.
      clearSandbox(sandboxOf(account, snapshot));
      return `"${printable(account.alias)}" is "${printable(alias)}" now.`;
    }),
    on(
      "describe",
      { tags: LENGTHS.tags, notes: LENGTHS.notes },
      async ({ id, alias }, { text }) => {
        // Browsers end lines as the mail does.
        const notes = text("notes").replaceAll("\r\n", "\n").trim();
        await describeAccount(store, id, readTags(text("tags")), notes);
        return `Tags and notes of "${printable(alias)}" are saved.`;
      },
    ),
    on("enable", {}, async (account) => {
      const changed = await enableAccount(store, account);
      return `"${printable(account.alias)}" ${changed ? "is enabled" : "was enabled already"}.`;
    }),
    on("disable", { reason: LENGTHS.value }, async ({ id, alias }, { text }) => {
      await disableAccount(store, id, clock.now(), text("reason").trim() || undefined);
      return `"${printable(alias)}" is disabled; its tokens stay.`;
    }),
    on("restore", {}, async (account, _request, snapshot) => {
      const lifted = await restoreAccount(store, account, snapshot, clock.now());
      return lifted.length === 0
        ? `"${printable(account.alias)}" was neither set aside nor blocked.`
        : `"${printable(account.alias)}" will be tried again (was: ${lifted.join(", ")}).`;
    }),
    on("pin", { for: LENGTHS.word }, async (account, { text }) => {
      const span = spanOf(text("for").trim());
      await pinAccount(store, account, span === undefined ? null : clock.now() + span);
      return `Everything goes to "${printable(account.alias)}" now, ${
        span === undefined ? "until you unpin it" : `for ${text("for").trim()}`
      }.`;
    }),
    on("remove", { confirm: LENGTHS.word }, async (account, { text }, snapshot) => {
      const { id, alias } = account;
      if (text("confirm") !== "yes") {
        throw new Failure(
          `"${printable(alias)}" was not removed: nobody has confirmed it.`,
          "Press the button that says so.",
        );
      }
      const { content } = await device.state();
      await store.remove(id);
      clearSandbox(sandboxOf(account, snapshot));
      return `"${printable(alias)}" and its tokens were removed.${
        content.kind === "account" && content.accountId === id
          ? " The Codex CLI of this device is still signed in to it."
          : ""
      }`;
    }),
    on("device", {}, async (account) => {
      const { codexRuns } = await device.switchTo(account);
      return `The Codex CLI of this device uses "${printable(account.alias)}" now.${
        codexRuns ? " A Codex is running: restart it to let it notice." : ""
      }`;
    }),
    {
      path: "/unpin",
      fields: {},
      async run() {
        await store.setPin(null);
        return "Nothing is pinned any more.";
      },
    },
    {
      path: "/sync",
      fields: {},
      run: async () => (await device.sync()).text,
    },
  ];
}

/**
 * The account of an id.
 *
 * @throws {Failure} when there is none (any more).
 */
export function accountWith({ accounts }: Snapshot, id: string): Account {
  const account = accounts.find((account) => account.id === id);
  if (account) return account;
  throw new Failure("This account is not there any more.", "Reload the page.");
}

function spanOf(text: string): number | undefined {
  if (text === "") return undefined;
  const span = parseDuration(text);
  if (span !== undefined) return span;
  throw new Failure(`"${printable(text)}" is not a span of time.`, "Write 30m, 2h or 1d.");
}
