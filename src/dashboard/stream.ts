/**
 * The stream of a page, `text/event-stream`. Its events:
 *
 * - `parts`: a JSON object of element id and HTML. Each replaces the element of that id; a card
 *   (`account-…`) that is not there yet goes to the end of the element `accounts`.
 * - `order`: a JSON list of card ids: these are shown in this order; every other card is hidden.
 * - `gone`: a JSON list of card ids that are to be taken out.
 * - `append`: a JSON object `{"id", "html"}`: goes to the end of that element (`log-lines`).
 * - `bye`: the session or the program has ended; the page is to say so and to be reloaded.
 *
 * The script opens it at the address that the page names (`Page.events`). When search, filter or sort
 * change it opens it anew with its own query (`/events?q=…&tag=…&state=…&sort=…&level=…`) and the
 * `since` of the newest event's `id`; an `order` comes first then.
 *
 * @module
 */
