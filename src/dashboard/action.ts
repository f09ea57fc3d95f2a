/**
 * What an action of the page is. Every action is a form: `<form method="post" action="…">` with the
 * hidden field `csrf`, and with the hidden field `back` if it is to return to the same search
 * (the page's query, as in its address). Without script it answers 303 back to the page, where
 * the notice says what was done. The script posts the same form with the header `x-csrf-token` and gets
 * `{"notice": {"kind": "done" | "failed", "text": "…"}}` with status 200, or 422 for a failure;
 * the stream brings the change itself. A field that an action does not name is refused.
 *
 * | action | fields |
 * | --- | --- |
 * | `/unlock` | `passphrase` |
 * | `/sign-out`, `/sync`, `/unpin` | |
 * | `/logins` | `alias`, `way` (`browser`, `device`, `paste`) |
 * | `/logins/paste` | `address` |
 * | `/logins/cancel` | |
 * | `/accounts/<id>/sign-in` | `way` |
 * | `/accounts/<id>/rename` | `alias` |
 * | `/accounts/<id>/describe` | `tags` (with commas between), `notes` |
 * | `/accounts/<id>/enable`, `…/restore`, `…/device`, `…/token` | |
 * | `/accounts/<id>/disable` | `reason` (may be empty) |
 * | `/accounts/<id>/pin` | `for` (as `2h`; empty: until unpinned) |
 * | `/accounts/<id>/remove` | `confirm` = `yes` |
 * | `/accounts/<id>/limits`, `/limits` | `source` (may be missing: `auto`) |
 * | `/limits/stop`, `/tokens`, `/tokens/stop` | |
 * | `/settings` | `name`, `value` |
 * | `/settings/reset` | `name` |
 * | `/export` | `passphrase`, `again`; answers with the file |
 * | `/import` | `file` (`enctype="multipart/form-data"`), `passphrase` (may be empty) |
 * | `/import/apply`, `/import/drop` | `plan` |
 *
 * @module
 */
import type { Session } from "./session.ts";

/** What an action finds in the request. */
export interface ActionRequest {
  /** The account that the address names; empty for an action on none. */
  readonly accountId: string;
  readonly session: Session;
  /** A field's text; empty when it is missing. */
  text(field: string): string;
  /** An uploaded file, if there is one. */
  file(field: string): File | undefined;
}

/** A file for the person to keep. */
export interface Download {
  readonly name: string;
  readonly text: string;
}

/** What an action came to: a sentence for the person, or a file. */
export type ActionResult = string | Download;

/** One action of the page. */
export interface Action {
  /** As Hono reads it; `:id` is an account's. */
  readonly path: string;
  /** The fields it takes, with the longest length of each in characters. */
  readonly fields: Readonly<Record<string, number>>;
  /** Whether it works on a store that is locked (default false). */
  readonly locked?: true;
  /** @throws {Failure} when it cannot be done. */
  run(request: ActionRequest): ActionResult | Promise<ActionResult>;
}

/** Lengths of fields, in characters. */
export const LENGTHS = {
  /** Aliases of older stores may be long. */
  alias: 200,
  word: 64,
  tags: 1_000,
  notes: 10_000,
  passphrase: 1_024,
  address: 8_192,
  value: 4_096,
} as const;
