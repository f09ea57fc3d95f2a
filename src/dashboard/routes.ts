/**
 * The dashboard's addresses, known to the views that name them and to the server that answers them.
 *
 * A write is a POST with the field `csrf`. A form is answered by a redirect (303) to the page, with
 * the query of a Referer of the same page; the page's script says so by the header `x-csrf-token`
 * and is answered 204, or 4xx with one sentence as plain text. What a write changed reaches every
 * open page through the stream.
 *
 * The stream's messages are JSON objects of element id -> HTML, those parts of `renderParts` that
 * have changed. Its first message holds all parts but the accounts (`account-…`): their marks are in
 * the part `order`, and the script asks for the page where it lacks one of them.
 *
 * @module
 */

/** What is asked for by GET. */
export const PAGE = "/";
/** The stream; takes the page's query, for the order of the accounts and the level of the log. */
export const EVENTS = "/events";
/** The folder of style, script and icon. */
export const ASSETS_FOLDER = "/assets/";

/** Header by which the script's writes carry what a form has in the field `csrf`. */
export const CSRF_HEADER = "x-csrf-token";
/** Its field in a form. */
export const CSRF_FIELD = "csrf";

/** Writes that are not about one account, with the fields that their forms have. */
export const ACTIONS = {
  /** Asks for every account's figures. */
  limits: "/limits",
  /** Ends that. */
  limitsStop: "/limits/stop",
  /** Renews every account's tokens. */
  tokens: "/tokens",
  /** Reads the Codex CLI's `auth.json`. */
  sync: "/sync",
  unpin: "/unpin",
  /** `alias`, `way`: `browser`, `device` or `paste`. Begins a login. */
  login: "/login",
  /** `url`: the address that the browser ended on. */
  loginFinish: "/login/finish",
  loginCancel: "/login/cancel",
  /** `name`, `value`. */
  settings: "/settings",
  /** `passphrase`. Unseals for this process. */
  unlock: "/unlock",
  /** `file` (multipart), `passphrase` (may be empty). */
  import: "/import",
  /** `passphrase`, `again`. Answers with the sealed file as an attachment. */
  export: "/export",
} as const;

/** Writes about one account, with the fields that their forms have. */
export type AccountAction =
  /** Makes it the Codex CLI's account on this device. */
  | "switch"
  /** Renews its tokens. */
  | "refresh"
  /** Asks for its figures. */
  | "limits"
  | "enable"
  | "disable"
  /** `for`: a span such as `2h`; empty until unpinned. */
  | "pin"
  | "remove"
  /** `alias`. */
  | "rename"
  /** `tags` (with commas), `notes`. */
  | "meta"
  /** `way`. Signs it in again. */
  | "login"
  /** Brings it back after it was set aside. */
  | "restore";

/** Address of a write about one account. */
export function accountAction(id: string, action: AccountAction): string {
  return `/accounts/${encodeURIComponent(id)}/${action}`;
}
