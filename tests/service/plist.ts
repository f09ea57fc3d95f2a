/** What a property list can hold here. */
export type PlistValue = string | number | boolean | PlistValue[] | { [key: string]: PlistValue };

/**
 * Reads a property list as strictly as Apple's own reader: well-formed XML, the elements of the format
 * alone, each where it may stand.
 *
 * @throws {Error} at the first thing that is wrong.
 */
export function readPlist(text: string): PlistValue {
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC ' +
    '"-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n';
  if (!text.startsWith(head)) throw new Error("the declaration is missing");
  const tokens = text.slice(head.length).match(/<[^>]*>|[^<]+/g) ?? [];
  let at = 0;
  const blank = () => {
    while (/^\s+$/.test(tokens[at] ?? "")) at++;
  };
  const take = (token: string) => {
    blank();
    if (tokens[at] !== token) throw new Error(`${token} was expected, not ${tokens[at]}`);
    at++;
  };
  const content = (name: string): string => {
    take(`<${name}>`);
    const raw = tokens[at]?.startsWith("<") === false ? tokens[at++] ?? "" : "";
    if (/&(?!(?:amp|lt|gt);)/.test(raw) || raw.includes("]]>")) throw new Error(`in ${raw}`);
    if (tokens[at++] !== `</${name}>`) throw new Error(`${name} is not closed`);
    return raw.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  };
  const value = (): PlistValue => {
    blank();
    const token = tokens[at];
    if (token === "<string>") return content("string");
    if (token === "<true/>" || token === "<false/>") return tokens[at++] === "<true/>";
    if (token === "<integer>") {
      const number = content("integer");
      if (!/^-?\d+$/.test(number)) throw new Error(`the integer ${number}`);
      return Number(number);
    }
    if (token === "<array>") {
      at++;
      const items: PlistValue[] = [];
      for (blank(); tokens[at] !== "</array>"; blank()) items.push(value());
      at++;
      return items;
    }
    if (token !== "<dict>") throw new Error(`${token} is no value`);
    at++;
    const entries: [string, PlistValue][] = [];
    for (blank(); tokens[at] !== "</dict>"; blank()) entries.push([content("key"), value()]);
    at++;
    if (new Set(entries.map(([key]) => key)).size < entries.length) throw new Error("key twice");
    return Object.fromEntries(entries);
  };
  take('<plist version="1.0">');
  const result = value();
  take("</plist>");
  blank();
  if (at < tokens.length) throw new Error(`${tokens[at]} behind the end`);
  return result;
}
