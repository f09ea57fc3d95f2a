/**
 * Looks at values from JSON that somebody else wrote. What is not of the kind
 * asked for is as good as absent.
 *
 * These few lines do what a schema library would: OpenCode reads the plugin at
 * every start, and a library would be its largest part.
 *
 * @module
 */

/** An object read from JSON. */
export type JsonObject = { readonly [name: string]: unknown };

/** The value if it is an object; a list is none. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as JsonObject
    : undefined;
}

/** The value if it is a list, else an empty one. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value if it is text, the empty one too. */
export function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The value if it is a finite number: `1e999` in JSON is not. */
export function asNumber(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** An object with one property, or none when there is no value (for `exactOptionalPropertyTypes`). */
export function given<K extends string, T>(
  key: K,
  value: T | null | undefined | "",
): { [P in K]?: T } {
  return value === undefined || value === null || value === ""
    ? {}
    : { [key]: value } as { [P in K]: T };
}
