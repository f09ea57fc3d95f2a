/**
 * How systemd reads `ExecStart=`, after systemd.service(5) and systemd.syntax(7): quotes and C escapes
 * first, then `%` specifiers, then, without a colon in front, `$NAME` and `${NAME}`.
 *
 * @param line What stands behind `ExecStart=`.
 * @throws {Error} when the line is not what systemd takes.
 */
export function unitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? "";
    if (character === "\\") {
      const next = line[++at];
      if (next === undefined || !"\"\\'".includes(next)) throw new Error(`escape \\${next}`);
      word = (word ?? "") + next;
    } else if (quote !== "") {
      if (character === quote) quote = "";
      else word = (word ?? "") + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (character === " " || character === "\t") {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== "") throw new Error("a quote is open");
  if (word !== undefined) words.push(word);
  const literal = words[0]?.startsWith(":") === true;
  return words.map((text, index) => {
    const bare = index === 0 && literal ? text.slice(1) : text;
    if (!literal && bare.includes("$")) throw new Error(`systemd replaces $ in ${bare}`);
    return bare.replace(/%(.?)/g, (_all, next) => {
      if (next !== "%") throw new Error(`specifier %${next}`);
      return "%";
    });
  });
}
