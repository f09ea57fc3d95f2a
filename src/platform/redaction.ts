/**
 * What must never be read in a log or an error, by its shape. The text says
 * what stood there, in the words that the log files of the older projects use.
 */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // A JWT, also one that was cut off: the header always begins with `{"`.
  [/eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){0,2}/g, "[jwt]"],
  // API keys, refresh tokens and authorization codes of the issuer.
  [/(?<![A-Za-z0-9])(?:sk|rt|at|ac)[-_.][A-Za-z0-9_.~+/-]{5,}=*/g, "[token]"],
  [/(\bbearer\s+)[^\s"',;]+/gi, "$1[token]"],
  // In addresses, forms and JSON: `code=…`, `"refresh_token":"…"`.
  [
    /((?:^|[?&#\s"'{,;(])(?:code|state|code_verifier|code_challenge|access_?token|refresh_?token|id_?token|passphrase|password|device_auth_id|user_code)["']?\s*[=:]\s*["']?)[^\s"'&,;})]+/gi,
    "$1[secret]",
  ],
  // Anything else long and random; ids of sessions and workspaces are shorter.
  [/(?<![A-Za-z0-9_-])(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[A-Za-z0-9_-]{43,}=*/g, "[secret]"],
];

/**
 * Replaces everything that looks like a token, a key, an authorization code or
 * a PKCE verifier.
 */
export function redact(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
  return clean;
}
