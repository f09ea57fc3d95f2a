/** A JSON object, as an answer's body. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a body as a JSON object.
 *
 * @returns undefined when it is anything else.
 */
export function jsonObject(body: string | undefined): JsonObject | undefined {
  if (body === undefined) return undefined;
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === "object" && json !== null && !Array.isArray(json)
      ? json as JsonObject
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The error code in an answer of the issuer: in `error.code`, in `error` as a
 * string (OAuth's flat form), or in `code`.
 *
 * Only what has the shape of a code is taken, letters and underscores: text of
 * a server may repeat what it was sent.
 */
export function errorCodeOf(json: JsonObject | undefined): string | undefined {
  if (json === undefined) return undefined;
  const { error, code } = json;
  const nested = typeof error === "object" && error !== null
    ? (error as JsonObject)["code"]
    : undefined;
  return [nested, error, code].find(isCode);
}

function isCode(value: unknown): value is string {
  return typeof value === "string" && /^[a-z]+(_[a-z]+)*$/.test(value) && value.length <= 64;
}
