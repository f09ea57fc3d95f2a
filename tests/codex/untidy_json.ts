/**
 * JSON as no tidy program writes it, for the tests that read bodies without parsing them.
 *
 * @module
 */
import fc from "fast-check";
import type { JsonBody } from "../../src/codex/body.ts";

/** A text as UTF-8. */
export const bytes = (text: string) => new TextEncoder().encode(text);
/** A body as text. */
export const textOf = (body: JsonBody) =>
  typeof body === "string" ? body : new TextDecoder().decode(body);
/** Both forms of a body; every test holds for both. */
export const forms = (text: string): readonly JsonBody[] => [text, bytes(text)];

/** JSON text of a value with random blanks, and characters written as escapes at random. */
export function untidy(value: unknown, pick: () => number): string {
  const gap = () => ["", "", "", " ", "\n", "\r\n", "\t", "  \n "][pick() % 8] ?? "";
  const string = (text: string) => {
    let out = "";
    for (const unit of JSON.stringify(text).slice(1, -1).split(/(\\u....|\\.|[^])/u)) {
      const plain = unit !== "" && !unit.startsWith("\\");
      // Both halves of a pair or none: a half alone cannot be written in UTF-8.
      const escaped = () => unit.split("").map((half) => half.charCodeAt(0).toString(16));
      out += plain && pick() % 6 === 0
        ? escaped().map((code) => `\\u${code.padStart(4, "0")}`).join("")
        : unit === "/" && pick() % 2
        ? "\\/"
        : unit;
    }
    return `"${out}"`;
  };
  const write = (one: unknown): string => {
    if (typeof one === "string") return string(one);
    if (Array.isArray(one)) {
      return `[${gap()}${one.map((item) => `${write(item)}${gap()}`).join(`,${gap()}`)}]`;
    }
    if (typeof one === "object" && one !== null) {
      const pairs = Object.entries(one).map(([key, item]) =>
        `${string(key)}${gap()}:${gap()}${write(item)}${gap()}`
      );
      return `{${gap()}${pairs.join(`,${gap()}`)}}`;
    }
    return JSON.stringify(one);
  };
  return `${gap()}${write(value)}${gap()}`;
}

/** Texts with all that is awkward in JSON. */
export const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string(),
  fc.constantFrom('"', "\\", '\\"', '","model":"x', "}", "{[", "é", "日本", "💥", "\u2028"),
);
/** Any value. `JSON.parse` gives -0 and `__proto__` meanings of their own, which are not a scanner's business. */
export const json = fc.jsonValue({ stringUnit: "grapheme" }).map((value) =>
  JSON.parse(JSON.stringify(value)) as unknown
);
/**
 * Keys. One ending in a backslash is left out here and has a test of its own: V8
 * 15.0 parses the key `\"` wrongly in an object whose like had the key `\\`
 * in that place (`JSON.parse` of one after the other gives the same key twice).
 */
export const key = fc.oneof(text, fc.constantFrom("model", "input", "stream"))
  .filter((one) => one !== "__proto__" && !one.endsWith("\\"));
/** Objects. */
export const object = fc.dictionary(key, fc.oneof(json, text), { maxKeys: 8 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>);

/** Random source for {@linkcode untidy} from a list of numbers. */
export const picker = (numbers: readonly number[]) => {
  let at = 0;
  return () => numbers.length === 0 ? 0 : numbers[at++ % numbers.length] ?? 0;
};
/** Such a list. */
export const numbers = fc.array(fc.nat({ max: 997 }), { maxLength: 60 });
