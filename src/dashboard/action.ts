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
