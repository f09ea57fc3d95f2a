/**
 * Whether two plain values say the same.
 *
 * @param apart Properties that do not count, at whatever depth.
 */
export function sameValue(a: unknown, b: unknown, apart: readonly string[] = []): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) =>
    apart.includes(key) ||
    (Object.hasOwn(b, key) && sameValue(a[key as keyof typeof a], b[key as keyof typeof b], apart))
  );
}
