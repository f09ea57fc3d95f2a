/** Our own errors look like the backend's, so that every client shows their message. */
export interface ErrorBody {
  readonly message: string;
  readonly code: string;
}

/**
 * An error of ours as a response.
 *
 * @param status 400 to 403 are shown by OpenCode at once; 429 and 5xx are tried again by it.
 * @param headers Additional headers.
 */
export function errorResponse(
  status: number,
  { message, code }: ErrorBody,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify({ error: { message, type: "opencode_multi_auth", code } }), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}

/**
 * What makes OpenCode 1.18 try again, whatever the status: these words and
 * numbers anywhere in the body.
 */
const RETRY_WORDS =
  /429|500|502|503|504|524|rate limit|too many requests|overloaded|server error|service unavailable|fetch failed|connection|timed out|try again later|try again in/gi;

/**
 * Breaks up words that would make OpenCode repeat a request, such as in an
 * alias `team-500`: a word joiner (U+2060), which nobody sees, goes behind the
 * first character.
 */
export function withoutRetryWords(text: string): string {
  return text.replace(RETRY_WORDS, (word) => `${word[0]}\u2060${word.slice(1)}`);
}
