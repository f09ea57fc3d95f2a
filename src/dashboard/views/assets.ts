/**
 * What the page loads beside its HTML, from its own origin.
 *
 * @module
 */

/** The style sheet, at `/page.css`. */
export const STYLE = "";
/** The script, at `/page.js`. */
export const SCRIPT = "";
