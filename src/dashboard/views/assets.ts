/**
 * What the page loads beside its HTML, from its own origin.
 *
 * @module
 */
import style from "../page.css" with { type: "text" };
import { pageScript } from "../page_script.ts";

/** The style sheet, at `/page.css`. */
export const STYLE: string = style;
/** The script, at `/page.js`: the text of a function that needs nothing but the page. */
export const SCRIPT = `(${pageScript})()`;
