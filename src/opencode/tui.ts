import type { Element } from "@opentui/solid";
import { systemClock } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import { fileLog } from "../platform/log.ts";
import { type Environment, resolvePaths } from "../platform/paths.ts";
import { runtime } from "../platform/runtime.ts";
import { type LocalStore, openLocalStore } from "../store/local.ts";
import type { Snapshot } from "../store/store.ts";
import { type Actions, paletteCommands } from "./palette.ts";
import { promptLine } from "./prompt_line.ts";
import type { TuiApi } from "./tui_host.ts";

/** How often it is looked whether something has changed, in milliseconds. */
const LOOK_MS = 1_000;
/** What time alone changes is shown anew so often, in milliseconds. */
const SHOW_MS = 30_000;
/** Columns of a terminal that does not say, and of the first screen. */
const COLUMNS = 80;

/**
 * The plugin's entry for OpenCode's terminal interface: the account beside the
 * prompt, and a palette of the common actions. It has the store to itself, reads
 * it after the first picture, and talks to no server.
 */
export async function tui(api: TuiApi, env: Environment = runtime.env): Promise<void> {
  const { createComponent, createElement, createSignal, effect, insert, setProp } =
    await hostLibraries();
  const paths = resolvePaths(env);
  const log = fileLog({ path: paths.log, clock: systemClock });
  let store: Promise<LocalStore> | undefined;
  const open = () =>
    store ??= openLocalStore({ paths, env, clock: systemClock }).catch((error) => {
      store = undefined;
      throw error;
    });
  /** session -> the account it is on. */
  const homes = new Map<string, string | undefined>();
  let snapshot: Snapshot | undefined;
  const [shown, show] = createSignal(0);
  let shownAt = 0;

  const look = async (force = false) => {
    const opened = await open();
    const now = systemClock.now();
    const changed = force || !snapshot || opened.changed();
    if (!changed && now - shownAt < SHOW_MS) return;
    if (changed) {
      snapshot = await opened.load();
      for (const session of homes.keys()) {
        homes.set(session, (await opened.affinity(session))?.accountId);
      }
    }
    shownAt = now;
    show(shown() + 1);
  };
  let said = "";
  const complain = (error: unknown) => {
    const message = messageOf(error);
    if (message !== said) log.error(`terminal interface: ${said = message}`);
  };

  let ended = false;
  let cancel = () => {};
  const tick = () => {
    cancel = systemClock.after(LOOK_MS, () => {
      look().catch(complain).finally(() => ended || tick());
    }, { background: true });
  };
  // What is on the screen comes first.
  systemClock.after(0, () => void look().catch(complain), { background: true });
  tick();

  const line = (session: string | undefined): Element => {
    if (session !== undefined && !homes.has(session)) {
      homes.set(session, undefined);
      look(true).catch(complain);
    }
    const current = () => {
      shown();
      return snapshot && promptLine(
        snapshot,
        session === undefined ? undefined : homes.get(session),
        systemClock.now(),
        // The first screen's prompt is no wider, whatever the terminal is.
        Math.min(api.renderer?.width ?? COLUMNS, session === undefined ? COLUMNS : Infinity),
      );
    };
    const element = createElement("text");
    effect(() => setProp(element, "fg", api.theme.current[current()?.tone ?? "textMuted"]));
    insert(element, () => current()?.text ?? "");
    return element;
  };
  api.slots.register({
    order: 50,
    slots: {
      home_prompt_right: () => line(undefined),
      session_prompt_right: (_, props) => line(props.session_id),
    },
  });

  const actions: Actions = {
    open,
    now: () => systemClock.now(),
    say: (message, variant) => api.ui.toast({ title: "ChatGPT accounts", message, variant }),
    choose: (props) => api.ui.dialog.replace(() => createComponent(api.ui.DialogSelect, props)),
    close: () => api.ui.dialog.clear(),
    changed: () => look(true),
  };
  api.keymap.registerLayer({ commands: paletteCommands(actions), bindings: [] });
  api.lifecycle.onDispose(async () => {
    ended = true;
    cancel();
    await log.flush();
    await (await store)?.close();
  });
}

/**
 * OpenCode's own copies of what draws on its screen. It puts them in the place
 * of these imports, but overlooks them where Bun misreads the path of our file,
 * as with the colon in the folder of a package that is a `file:`; then they are
 * asked for by the name that they have in OpenTUI.
 */
async function hostLibraries(): Promise<
  typeof import("@opentui/solid") & typeof import("solid-js")
> {
  try {
    return { ...await import("@opentui/solid"), ...await import("solid-js") };
  } catch {
    const named = (name: string) => import(`opentui:runtime-module:${encodeURIComponent(name)}`);
    return { ...await named("@opentui/solid"), ...await named("solid-js") };
  }
}
