/** An entry of type `oauth` as OpenCode reads and writes it; it drops every other field. */
export interface OauthEntry {
  readonly type: "oauth";
  /** The refresh token. */
  readonly refresh: string;
  /** The access token. */
  readonly access: string;
  /** When the access token ends, epoch milliseconds. */
  readonly expires: number;
}

const MARK = "opencode-multi-auth";

/**
 * Our entry. It makes OpenCode ask a plugin for the provider `openai` and holds no token. It
 * expires on 9999-12-31, because OpenCode would spend `refresh` once the time is over.
 */
export const PLACEHOLDER_ENTRY: OauthEntry = Object.freeze({
  type: "oauth",
  refresh: MARK,
  access: MARK,
  expires: 253_402_214_400_000,
});

/** Whether an entry is {@linkcode PLACEHOLDER_ENTRY}, also after OpenCode has rewritten it. */
export function isPlaceholder(entry: unknown): boolean {
  if (typeof entry !== "object" || entry === null) return false;
  const { type, refresh } = entry as Partial<OauthEntry>;
  return type === "oauth" && refresh === MARK;
}
