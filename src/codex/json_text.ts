/**
 * Where JSON values begin and end in a text, found without parsing them. Every
 * function gives -1 where the text is not the JSON it should be, takes time
 * linear in what it passes over, and never throws.
 *
 * @module
 */

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
export const CLOSE_LIST = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

const PRIMITIVE = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Where a value ends; -1 when none begins here or it does not end. */
export function valueEnd(text: string, start: number): number {
  const code = text.charCodeAt(start);
  if (code === QUOTE) return stringEnd(text, start);
  if (code === OPEN_OBJECT || code === OPEN_LIST) return nestedEnd(text, start);
  PRIMITIVE.lastIndex = start;
  return PRIMITIVE.test(text) ? PRIMITIVE.lastIndex : -1;
}

/** Where an object or list ends. Holds its own stack: a hostile body may nest deeper than calls can. */
function nestedEnd(text: string, start: number): number {
  const open: number[] = [];
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = stringEnd(text, at);
      if (end < 0) return -1;
      at = end - 1;
    } else if (code === OPEN_OBJECT) open.push(CLOSE_OBJECT);
    else if (code === OPEN_LIST) open.push(CLOSE_LIST);
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      if (open.pop() !== code) return -1;
      if (open.length === 0) return at + 1;
    }
  }
  return -1;
}

/** Where a string ends, behind its closing quote; -1 when it does not. */
export function stringEnd(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    // A quote ends the string unless an odd number of backslashes stands before it.
    // Each run of them touches one quote only, so counting stays linear.
    let before = at;
    while (text.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((at - before) % 2 === 0) return at + 1;
  }
  return -1;
}

/** The first place from `at` on that is no white space. */
export function skipSpace(text: string, at: number): number {
  for (;; at++) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
  }
}

/** The last place up to `at` that is no white space; -1 when there is none. */
export function skipSpaceBack(text: string, at: number): number {
  for (;; at--) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at < 0 ? -1 : at;
  }
}

/** Where the value begins whose last character stands at `last`. */
export function valueStart(text: string, last: number): number {
  const code = text.charCodeAt(last);
  if (code === QUOTE) return stringStart(text, last);
  if (code === CLOSE_OBJECT || code === CLOSE_LIST) return nestedStart(text, last);
  let start = last + 1;
  while (isPrimitive(text.charCodeAt(start - 1))) start--;
  return valueEnd(text, start) === last + 1 ? start : -1;
}

/** Letters, digits, `+`, `-`, `.`: what numbers, `true`, `false` and `null` consist of. */
function isPrimitive(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2b ||
    code === 0x2d || code === 0x2e || code === 0x45;
}

/** Where an object or list begins that ends at `last`. */
function nestedStart(text: string, last: number): number {
  const open: number[] = [];
  for (let at = last; at >= 0; at--) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringStart(text, at);
      if (at < 0) return -1;
    } else if (code === CLOSE_OBJECT) open.push(OPEN_OBJECT);
    else if (code === CLOSE_LIST) open.push(OPEN_LIST);
    else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (open.pop() !== code) return -1;
      if (open.length === 0) return at;
    }
  }
  return -1;
}

/**
 * Where the string begins whose closing quote stands at `last`: at the next
 * quote before it that no backslash escapes. Inside of a string every quote has
 * an odd number of backslashes before it, in front of one stands none.
 */
export function stringStart(text: string, last: number): number {
  for (let at = last - 1; at >= 0; at--) {
    at = text.lastIndexOf('"', at);
    if (at < 0) return -1;
    let before = at;
    while (text.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((at - before) % 2 === 0) return at;
  }
  return -1;
}
