import { listSettings } from "../platform/settings.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { olderSettings, overlay } from "../store/older_settings.ts";
import { onDevice } from "./on_device.ts";
import { lockedText, withStore } from "./open_store.ts";
import { JSON_ABOUT, type OutputOptions, report } from "./output.ts";
import { statusObject } from "./status_object.ts";
import { statusText } from "./status_text.ts";
import { paintOf } from "./style.ts";
import { dayOf } from "./time.ts";
import { sayWrong } from "./wrong_setting.ts";

/** `status`: what each account is, has left, and why it may not serve. */
export function registerStatus(program: CommandLine, context: Context): void {
  program.command("status")
    .summary("Show detailed account status")
    .description(
      "Shows every account: who it is, how often it answered, what is left of its limits,\n" +
        "and what keeps it from serving.",
    )
    .option("--json", JSON_ABOUT)
    .action((options) => showStatus(context, options));
}

/** Does it. */
export function showStatus(context: Context, options: OutputOptions): Promise<void> {
  return withStore(context, async ({ store, snapshot, paths }) => {
    const settings = overlay(
      listSettings(paths, context.env, sayWrong(context)),
      await olderSettings(store, paths),
    );
    const strategy = String(settings.find(({ name }) => name === "strategy")?.value);
    const now = context.clock.now();
    const { readTokenUse } = await import("../store/past.ts");
    // A state.db that cannot be had is said by the load; the accounts are shown all the same.
    const today = await readTokenUse(store, dayOf(now, context)).catch(() => []);
    const { readPast } = await import("./status_past.ts");
    const past = await readPast(store, now);
    const device = await onDevice(context, snapshot.accounts);
    const status = statusObject(strategy, snapshot, now, today, past, device?.id);
    const text = statusText(status, {
      now,
      place: context,
      paint: paintOf(context),
      locked: lockedText(store),
    });
    report(context, options, { ...status }, text);
  });
}
