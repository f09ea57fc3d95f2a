import type { Context } from "hono";
import { Failure, messageOf } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import type { Paths } from "../platform/paths.ts";
import { redact } from "../platform/redaction.ts";
import type { LocalStore } from "../store/local.ts";
import { carryOver, olderSettings } from "../store/older_settings.ts";
import type { Action, ActionResult } from "./action.ts";
import { type GuardedEnv, UPLOAD_PATH } from "./guard.ts";
import type { Live } from "./live.ts";
import { readQuery, writeQuery } from "./query.ts";

/** Longest query that a page may want back, in characters. */
const MAX_BACK = 1_000;

/** Carries actions out and says what they came to. */
export function actionHandler({ store, paths, live, log }: {
  readonly store: LocalStore;
  readonly paths: Paths;
  readonly live: Live;
  readonly log: Log;
}): (action: Action, context: Context<GuardedEnv>) => Promise<Response> {
  async function run(action: Action, context: Context<GuardedEnv>): Promise<ActionResult> {
    const form = context.get("form");
    const request = {
      accountId: context.req.param("id") ?? "",
      session: context.get("session"),
      text: (field: string) => {
        const value = form.get(field);
        return typeof value === "string" ? value : "";
      },
      file: (field: string) => {
        const value = form.get(field);
        return value instanceof File ? value : undefined;
      },
    };
    if (action.locked) return await action.run(request);
    if ((await store.load()).locked) {
      throw new Failure("The store is locked.", "Give its passphrase first.");
    }
    // What an older file says beside the accounts would be lost with its first rewrite.
    const older = await olderSettings(store, paths);
    const result = await action.run(request);
    carryOver(paths, older);
    return result;
  }

  return async (action, context) => {
    const form = context.get("form");
    const session = context.get("session");
    const script = context.req.header("x-csrf-token") !== undefined;
    const wrong = unknownField(action, form);
    if (wrong !== undefined) return context.text(wrong, 400);
    let notice: { kind: "done" | "failed"; text: string };
    try {
      const result = await run(action, context);
      if (typeof result !== "string") {
        return context.body(result.text, 200, {
          "content-type": "application/octet-stream",
          "content-disposition": `attachment; filename="${result.name}"`,
        });
      }
      notice = { kind: "done", text: result };
    } catch (error) {
      notice = { kind: "failed", text: failureText(error, log) };
    }
    await live.refresh().catch(() => {});
    if (script) return context.json({ notice }, notice.kind === "done" ? 200 : 422);
    session.notice = notice;
    // What a file would bring stands far below.
    const at = action.path === UPLOAD_PATH && notice.kind === "done" ? "#move" : "";
    return context.redirect(`/${backTo(form.get("back"))}${at}`, 303);
  };
}

/** What is wrong with a form's fields; undefined when nothing is. */
function unknownField(
  { fields }: Action,
  form: ReadonlyMap<string, FormDataEntryValue>,
): string | undefined {
  for (const [name, value] of form) {
    if (name === "back") continue;
    if (!Object.hasOwn(fields, name)) return "The form has a field that is not known here.";
    const longest = fields[name] ?? 0;
    // Browsers end lines with two characters and count one.
    if (typeof value === "string" && value.replaceAll("\r\n", "\n").length > longest) {
      return `The field ${name} is too long.`;
    }
    if (typeof value !== "string" && longest !== 0) return `The field ${name} is no file.`;
  }
  return undefined;
}

/** The page that an action came from. Only a query: an address could lead elsewhere. */
function backTo(query: FormDataEntryValue | undefined): string {
  if (typeof query !== "string" || query.length > MAX_BACK) return "";
  return writeQuery(readQuery(new URLSearchParams(query)));
}

/** What a person is told. Whatever is not meant for people goes into the log. */
function failureText(error: unknown, log: Log): string {
  if (error instanceof Failure) return redact(messageOf(error));
  log.error(`dashboard: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
  return "Something went wrong; the log says more.";
}
