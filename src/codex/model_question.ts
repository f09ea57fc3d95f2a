import type { Account } from "../account/account.ts";
import type { Clock } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import { asList, asNumber, asObject, asText } from "../platform/json.ts";
import { PROGRAM, VERSION } from "../platform/version.ts";
import type { ListedModel } from "../store/models.ts";
import { accountHeaders } from "./request.ts";

/**
 * The client we name when we ask: the Codex CLI whose protocol we follow
 * (`CODEX` in scripts/tools.ts, which a test holds). The backend hides from an
 * older one what it could not serve.
 */
export const CLIENT_VERSION = "0.169.0";

/** Longest that the backend may take, in milliseconds. */
const LIMIT_MS = 15_000;

/** What came of asking for an account's models. */
export type ModelsAnswer =
  | { readonly kind: "read"; readonly models: readonly ListedModel[]; readonly etag: string }
  /** Nothing has changed since the list with the ETag that was sent. */
  | { readonly kind: "same" }
  /** The access token is not accepted. */
  | { readonly kind: "unauthorized" }
  /** Says nothing about the account's models. */
  | { readonly kind: "failed"; readonly cause: string };

/**
 * Asks the backend which models an account has. Costs no quota.
 *
 * @param etag Of the list that is known; empty for none.
 */
export async function fetchModels(
  account: Account,
  etag: string,
  options: { fetch: typeof fetch; backend: string; clock: Clock; signal?: AbortSignal },
): Promise<ModelsAnswer> {
  const limit = new AbortController();
  const cancel = options.clock.after(LIMIT_MS, () => limit.abort(), { background: true });
  const signal = options.signal ? AbortSignal.any([options.signal, limit.signal]) : limit.signal;
  try {
    const url = `${options.backend}/codex/models?client_version=${CLIENT_VERSION}`;
    const response = await options.fetch(url, {
      headers: {
        ...Object.fromEntries(accountHeaders(account)),
        accept: "application/json",
        // What an account may use hangs on who asks; its requests come from OpenCode.
        originator: "opencode",
        "user-agent": `${PROGRAM}/${VERSION}`,
        ...(etag === "" ? {} : { "if-none-match": etag }),
      },
      signal,
      redirect: "manual",
    });
    const text = await response.text();
    if (response.status === 304 && etag !== "") return { kind: "same" };
    if (response.status === 401) return { kind: "unauthorized" };
    if (!response.ok) return { kind: "failed", cause: `status ${response.status}` };
    const models = readModels(text);
    // An empty list would turn everything away from the account for hours.
    if (models.length === 0) return { kind: "failed", cause: "an answer nobody understands" };
    return { kind: "read", models, etag: response.headers.get("etag") ?? "" };
  } catch (error) {
    return {
      kind: "failed",
      cause: limit.signal.aborted ? "no answer in time" : messageOf(error),
    };
  } finally {
    cancel();
  }
}

/** Reads the backend's list, as far as it is understood; empty when it is none. */
export function readModels(json: string): ListedModel[] {
  let root: unknown;
  try {
    root = JSON.parse(json);
  } catch {
    return [];
  }
  const seen = new Set<string>();
  return asList(asObject(root)?.["models"]).flatMap((value, index) => {
    const model = asObject(value);
    const slug = asText(model?.["slug"])?.trim();
    if (!model || !slug || slug.length > 100 || seen.has(slug)) return [];
    seen.add(slug);
    const texts = (list: unknown) => asList(list).flatMap((item) => asText(item) ?? []);
    return [{
      slug,
      name: asText(model["display_name"])?.trim() || slug,
      hidden: model["visibility"] !== undefined && model["visibility"] !== "list",
      priority: asNumber(model["priority"]) ?? 1_000 + index,
      context: Math.max(asNumber(model["context_window"]) ?? 0, 0),
      efforts: asList(model["supported_reasoning_levels"]).flatMap((level) =>
        asText(asObject(level)?.["effort"]) ?? []
      ),
      inputs: texts(model["input_modalities"]),
    }];
  });
}
