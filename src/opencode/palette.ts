import { mayServe } from "../account/account.ts";
import { messageOf } from "../platform/failure.ts";
import type { Snapshot, Store } from "../store/store.ts";
import { accountViews, servingId, viewText } from "./account_view.ts";
import type { TuiCommand, TuiSelectProps } from "./tui_host.ts";

/** What the palette's actions work with. */
export interface Actions {
  open(): Promise<Store>;
  /** Epoch milliseconds. */
  now(): number;
  /** Tells the person. */
  say(message: string, variant: "success" | "warning" | "error"): void;
  /** Has the person choose. */
  choose(props: TuiSelectProps): void;
  /** Ends the choosing. */
  close(): void;
  /** Shows what has changed. */
  changed(): Promise<void>;
}

const CATEGORY = "ChatGPT accounts";
/** How long "for a while" is, in milliseconds. */
const WHILE_MS = 2 * 3_600_000;

/** The common actions, for OpenCode's command palette. */
export function paletteCommands(actions: Actions): TuiCommand[] {
  const guarded = (run: () => Promise<void>) => () =>
    void run().catch((error) => actions.say(messageOf(error), "error"));
  const command = (name: string, title: string, run: () => Promise<void>) => ({
    namespace: "palette" as const,
    name: `multi-auth.${name}`,
    title,
    category: CATEGORY,
    run: guarded(run),
  });
  const pin = (until: () => number | null, words: string) => async () => {
    await choose(actions, "Which account should serve everything?", async (store, id, alias) => {
      const account = (await store.load()).accounts.find((account) => account.id === id);
      if (!account || !mayServe(account)) return actions.say(`${alias} cannot serve`, "warning");
      await store.setPin({ accountId: id, until: until() });
      actions.say(`${alias} serves everything it can ${words}`, "success");
    });
  };
  return [
    command(
      "accounts",
      "Show ChatGPT accounts",
      () => choose(actions, "ChatGPT accounts", () => Promise.resolve()),
    ),
    command(
      "pin",
      "Pin a ChatGPT account",
      pin(() => null, "until it is unpinned"),
    ),
    command(
      "pin_for_a_while",
      "Pin a ChatGPT account for two hours",
      pin(() => actions.now() + WHILE_MS, "for two hours"),
    ),
    command("unpin", "Unpin the ChatGPT account", async () => {
      const store = await actions.open();
      const { pin } = await store.load();
      if (pin) await store.setPin(null);
      actions.close();
      actions.say(pin ? "Unpinned" : "No account was pinned", "success");
      await actions.changed();
    }),
    command(
      "switch",
      "Turn a ChatGPT account on or off",
      () =>
        choose(actions, "Which account should be turned on or off?", async (store, id, alias) => {
          const changed = await store.edit(
            id,
            ({ disabled: _, ...account }) =>
              account.enabled
                ? {
                  ...account,
                  enabled: false,
                  disabled: { at: actions.now(), reason: "turned off in OpenCode" },
                }
                : { ...account, enabled: true },
          );
          if (!changed) return actions.say(`${alias} is gone`, "warning");
          actions.say(`${alias} is ${changed.enabled ? "on" : "off"}`, "success");
        }),
    ),
  ];
}

/** Shows every account and does something with the one that is chosen. */
async function choose(
  actions: Actions,
  title: string,
  act: (store: Store, id: string, alias: string) => Promise<unknown>,
): Promise<void> {
  const store = await actions.open();
  const snapshot = await store.load();
  if (snapshot.locked) return actions.say("The account store is locked", "warning");
  if (snapshot.accounts.length === 0) return actions.say("There are no accounts yet", "warning");
  actions.choose({
    title,
    ...selection(snapshot, actions.now()),
    onSelect: ({ value, title: alias }) => {
      actions.close();
      act(store, value, alias).then(() => actions.changed()).catch((error) =>
        actions.say(messageOf(error), "error")
      );
    },
  });
}

function selection(
  snapshot: Snapshot,
  now: number,
): Pick<TuiSelectProps, "options" | "current"> {
  return {
    current: servingId(snapshot, undefined, now),
    options: accountViews(snapshot, now).map((view) => ({
      title: view.alias,
      value: view.id,
      description: viewText(view, now),
    })),
  };
}
