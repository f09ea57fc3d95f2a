import { builtin } from "../platform/runtime.ts";

/** Bytes of text in one word: with its frame it stays below the 75 characters that RFC 2047 allows. */
const WORD_BYTES = 45;

/**
 * A text as the value of a header: itself where it is plain ASCII on one line, else in the words of
 * RFC 2047, which ntfy (2.4 and newer) reads in `Title`, `Message` and `Tags`.
 */
export function headerText(text: string): string {
  if (/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.includes("=?")) return text;
  const { Buffer } = builtin("node:buffer");
  const words: string[] = [];
  let word = "";
  for (const character of text.toWellFormed()) {
    if (Buffer.byteLength(word + character) > WORD_BYTES) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  words.push(word);
  // A space between two words is part of the frame, not of the text.
  return words.map((one) => `=?UTF-8?B?${Buffer.from(one).toString("base64")}?=`).join(" ");
}
