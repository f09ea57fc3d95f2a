/**
 * Reading JSON with comments as OpenCode reads it.
 *
 * @module
 */
import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { Failure } from "../platform/failure.ts";

/** A parsed file. All offsets count from the start of `text`. */
export interface JsoncDocument {
  /** The text without its byte order mark. */
  readonly text: string;
  /** The byte order mark, or nothing. */
  readonly mark: string;
  /** The object in it; undefined when the file holds no value at all. */
  readonly root: Node | undefined;
}

// OpenCode puts these in before it parses, so they may stand where a value does.
const SUBSTITUTION = /\{(?:env|file):[^}"\r\n]+\}/g;

/**
 * Parses a file that has to hold one object (or nothing).
 *
 * @param path Named in the error.
 * @param text The whole file.
 * @param options.fix What the person should do when it cannot be parsed.
 * @param options.strict Whether comments and trailing commas are errors (default false).
 * @throws {Failure} with line and column when it cannot be parsed, or is not an object.
 */
export function parseJsonc(
  path: string,
  text: string,
  options: { readonly fix: string; readonly strict?: boolean },
): JsoncDocument {
  const { fix, strict = false } = options;
  const mark = text.startsWith("\uFEFF") ? "\uFEFF" : "";
  const clean = text.slice(mark.length);
  // Digits of the same length are a value where a value belongs and harmless inside a string.
  const masked = strict ? clean : clean.replace(SUBSTITUTION, (found) => "1".repeat(found.length));
  const errors: ParseError[] = [];
  const root = parseTree(masked, errors, {
    allowTrailingComma: !strict,
    disallowComments: strict,
    allowEmptyContent: true,
  });
  const [error] = errors;
  if (error !== undefined) {
    const problem = words(printParseErrorCode(error.error));
    throw new Failure(
      `${path} is not valid JSON: ${problem} ${position(clean, error.offset)}.`,
      fix,
    );
  }
  if (root !== undefined && root.type !== "object") {
    throw new Failure(`${path} holds no object ${position(clean, root.offset)}.`, fix);
  }
  return { text: clean, mark, root };
}

/** `at line 3, column 7` for an offset; both count from 1. */
export function position(text: string, offset: number): string {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/);
  return `at line ${before.length}, column ${(before.at(-1) ?? "").length + 1}`;
}

/** `CommaExpected` -> `comma expected`. */
function words(code: string): string {
  return code.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
}

/** The properties of that name, in order. Where a name stands twice, readers take the last. */
export function properties(root: Node | undefined, name: string): readonly Node[] {
  return (root?.children ?? []).filter((property) => property.children?.[0]?.value === name);
}

/** The value that a reader finds under `name`. */
export function valueOf(root: Node | undefined, name: string): Node | undefined {
  return properties(root, name).at(-1)?.children?.[1];
}

/** What a node stands for, with substitutions such as `{env:HOME}` as they are written. */
export function read(document: JsoncDocument, node: Node | undefined): unknown {
  switch (node?.type) {
    case "array":
      return (node.children ?? []).map((child) => read(document, child));
    case "object":
      return Object.fromEntries(
        (node.children ?? []).map((property) => [
          String(property.children?.[0]?.value),
          read(document, property.children?.[1]),
        ]),
      );
    case "string":
      return JSON.parse(source(document, node));
    default:
      return node?.value;
  }
}

/** A node's own text. */
export function source(document: JsoncDocument, node: Node): string {
  return document.text.slice(node.offset, end(node));
}

/** Where a node ends. */
export function end(node: Node): number {
  return node.offset + node.length;
}
