/**
 * Breaks a sentence between words. A word that is longer than a line stays whole, so that a path or an
 * address can be copied.
 *
 * @param width The longest line, in characters.
 */
export function wrapped(sentence: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of sentence.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

/** The same with every line indented. */
export function indented(sentence: string, indent: string, columns: number): string[] {
  return wrapped(sentence, columns - indent.length).map((line) => indent + line);
}
