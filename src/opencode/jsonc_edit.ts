/**
 * Small changes to JSON with comments. `modify` of jsonc-parser lays out anew the line it touches
 * and takes comments away with the value it removes; these edits leave every other byte alone.
 *
 * @module
 */
import type { Edit, Node } from "jsonc-parser";
import { end, type JsoncDocument } from "./jsonc_document.ts";

/**
 * Adds `"name": value` at the end of the object, or begins one in an empty file.
 *
 * @returns Edits that only insert.
 */
export function appendProperty(document: JsoncDocument, name: string, value: unknown): Edit[] {
  const { text, root } = document;
  const eol = lineEnd(text);
  const property = (indent?: string) =>
    `${JSON.stringify(name)}: ${written(value, document, indent)}`;
  if (root === undefined) {
    const gap = text === "" || /[\r\n]$/.test(text) ? "" : eol;
    const content = `${gap}{${eol}${unit(document)}${property(unit(document))}${eol}}${eol}`;
    return [{ offset: text.length, length: 0, content }];
  }
  if ((root.children ?? []).length > 0) return append(document, root, property);
  const close = end(root) - 1;
  const line = startOfLine(text, close);
  const indent = /^[ \t]*/.exec(text.slice(startOfLine(text, root.offset)))?.[0] ?? "";
  const inner = `${indent}${unit(document)}`;
  const alone = line > root.offset && text.slice(line, close).trim() === "";
  return [
    alone
      ? { offset: line, length: 0, content: `${inner}${property(inner)}${eol}` }
      : { offset: close, length: 0, content: `${eol}${inner}${property(inner)}${eol}${indent}` },
  ];
}

/**
 * Adds a value at the end of an array.
 *
 * @returns Edits that only insert.
 */
export function appendItem(document: JsoncDocument, array: Node, value: unknown): Edit[] {
  if ((array.children ?? []).length > 0) {
    return append(document, array, (indent) => written(value, document, indent));
  }
  return [{ offset: array.offset + 1, length: 0, content: written(value, document) }];
}

/** Puts another value in a node's place. */
export function replaceValue(document: JsoncDocument, node: Node, value: unknown): Edit {
  const content = written(value, document, indentOf(document.text, node.offset));
  return { offset: node.offset, length: node.length, content };
}

/**
 * Takes items of an array or properties of an object away, with their commas and the lines that
 * would stay empty. Comments stay.
 */
export function remove(
  document: JsoncDocument,
  container: Node,
  victims: readonly Node[],
): Edit[] {
  const { text } = document;
  const children = container.children ?? [];
  const cuts: [from: number, to: number][] = [];
  for (const victim of victims) {
    const comma = commaAfter(text, end(victim));
    const after = comma === undefined ? end(victim) : comma + 1;
    const rest = /^[ \t]*(\r\n|\r|\n)?/.exec(text.slice(after));
    if (indentOf(text, victim.offset) !== undefined && rest?.[1] !== undefined) {
      cuts.push([startOfLine(text, victim.offset), victim.offset]);
      cuts.push([after, after + rest[0].length]);
    } else if (comma !== undefined) {
      cuts.push([after, after + (rest?.[1] === undefined ? rest?.[0].length ?? 0 : 0)]);
    } else if (indentOf(text, victim.offset) === undefined) {
      cuts.push([victim.offset - blanksBefore(text, victim.offset), victim.offset]);
    }
    cuts.push([victim.offset, end(victim)]);
    if (comma !== undefined) cuts.push([comma, comma + 1]);
  }
  const kept = children.filter((child) => !victims.includes(child)).at(-1);
  const last = children.at(-1);
  if (
    kept !== undefined && last !== undefined && kept !== last &&
    commaAfter(text, end(last)) === undefined
  ) {
    const comma = commaAfter(text, end(kept));
    if (comma !== undefined) cuts.push([comma, comma + 1]);
  }
  return merged(cuts).map(([from, to]) => ({ offset: from, length: to - from, content: "" }));
}

function append(
  document: JsoncDocument,
  container: Node,
  content: (indent?: string) => string,
): Edit[] {
  const { text } = document;
  const last = container.children?.at(-1);
  if (last === undefined) return [];
  const indent = indentOf(text, last.offset);
  if (indent === undefined) {
    return [{ offset: end(last), length: 0, content: `, ${content()}` }];
  }
  const comma = commaAfter(text, end(last));
  const offset = afterRemark(text, comma === undefined ? end(last) : comma + 1);
  const line = `${lineEnd(text)}${indent}${content(indent)}`;
  if (comma !== undefined) return [{ offset, length: 0, content: `${line},` }];
  if (offset === end(last)) return [{ offset, length: 0, content: `,${line}` }];
  return [
    { offset: end(last), length: 0, content: "," },
    { offset, length: 0, content: line },
  ];
}

/** A value as text; over several lines when it stands on a line of its own with that indentation. */
function written(value: unknown, document: JsoncDocument, indent?: string): string {
  if (indent === undefined) return JSON.stringify(value);
  return JSON.stringify(value, null, unit(document))
    .replaceAll("\n", `${lineEnd(document.text)}${indent}`);
}

/** One step of indentation, as the file has it. */
function unit({ text, root }: JsoncDocument): string {
  const first = root?.children?.[0];
  return (first && indentOf(text, first.offset)) || "  ";
}

/** The line end that most lines have: OpenCode adds a line of its own to files of either kind. */
function lineEnd(text: string): string {
  const all = text.match(/\n/g)?.length ?? 0;
  const windows = text.match(/\r\n/g)?.length ?? 0;
  return windows * 2 > all ? "\r\n" : "\n";
}

/** What stands before the offset on its line, if that is only blanks. */
function indentOf(text: string, offset: number): string | undefined {
  const line = startOfLine(text, offset);
  const before = text.slice(line, offset);
  return line > 0 && /^[ \t]*$/.test(before) ? before : undefined;
}

function startOfLine(text: string, offset: number): number {
  return Math.max(text.lastIndexOf("\n", offset - 1), text.lastIndexOf("\r", offset - 1)) + 1;
}

function blanksBefore(text: string, offset: number): number {
  return /[ \t]*$/.exec(text.slice(0, offset))?.[0].length ?? 0;
}

/** Where the next comma stands, if nothing but blanks and comments lies between. */
function commaAfter(text: string, offset: number): number | undefined {
  // One comment at a time: a longer pattern would look for the comma inside of them.
  const trivia = /\s+|\/\/[^\r\n]*|\/\*[^]*?\*\//y;
  let at = offset;
  for (trivia.lastIndex = at; trivia.test(text); trivia.lastIndex = at) at = trivia.lastIndex;
  return text[at] === "," ? at : undefined;
}

/** The end of the remarks that follow on the same line, else the offset itself. */
function afterRemark(text: string, offset: number): number {
  const remarks = /(?:[ \t]*(?:\/\/[^\r\n]*|\/\*[^\r\n]*?\*\/))*/y;
  remarks.lastIndex = offset;
  return remarks.test(text) ? remarks.lastIndex : offset;
}

/** Ranges without overlap, in order. */
function merged(ranges: readonly [number, number][]): [number, number][] {
  const result: [number, number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = result.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else if (to > from) result.push([from, to]);
  }
  return result;
}
