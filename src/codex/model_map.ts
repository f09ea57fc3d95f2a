import type { Environment } from "../platform/paths.ts";
import { set } from "../platform/paths.ts";
import type { ModelList } from "../store/models.ts";

/** Models that go out as the latest Codex model, as in the first project of this family. */
const OLDER_CODEX =
  /^(?:[\w.-]+\/)*(gpt-5(?:\.2)?-codex)(?:-(?:none|minimal|low|medium|high|xhigh|max))?$/;

/** What they go out as where nobody says otherwise. */
export const LATEST_CODEX = "gpt-5.3-codex";

/** Gives the name that goes out in the place of the one asked for; undefined where it stays. */
export type ModelMap = (asked: string) => string | undefined;

/** Whether an environment variable says no. */
function isOff(value: string | undefined): boolean {
  return /^(?:0|false)$/i.test(value?.trim() ?? "");
}

/**
 * Whether older Codex models go out as the latest one
 * (`OPENCODE_MULTI_AUTH_PREFER_CODEX_LATEST`, standard: yes).
 */
export function prefersLatest(env: Environment): boolean {
  return !isOff(env["OPENCODE_MULTI_AUTH_PREFER_CODEX_LATEST"]);
}

/** Whether models that OpenCode lacks are added (`OPENCODE_MULTI_AUTH_INJECT_MODELS`, standard: yes). */
export function addsModels(env: Environment): boolean {
  return !isOff(env["OPENCODE_MULTI_AUTH_INJECT_MODELS"]);
}

/**
 * The model that older Codex models go out as: what the person names in
 * `OPENCODE_MULTI_AUTH_CODEX_LATEST_MODEL`; else the standard one, unless every
 * list that is known lacks it: then the one asked for where it is listed, else
 * the backend's own favourite.
 *
 * @param lists What the accounts that may serve are known to have.
 * @param asked The older model, as it was asked for.
 */
export function latestModel(env: Environment, lists: Iterable<ModelList>, asked = ""): string {
  // As OpenCode writes it, or as the backend knows it.
  const named = set(env["OPENCODE_MULTI_AUTH_CODEX_LATEST_MODEL"])?.trim().replace(/^openai\//, "");
  if (named !== undefined) return named;
  const models = [...lists].flatMap((list) => list.models);
  for (const wanted of [LATEST_CODEX, OLDER_CODEX.exec(asked)?.[1]]) {
    if (wanted && models.some(({ slug }) => slug === wanted)) return wanted;
  }
  const offered = models.filter(({ hidden }) => !hidden);
  if (offered.length === 0) return LATEST_CODEX;
  return offered.reduce((best, model) => model.priority < best.priority ? model : best).slug;
}

/** Whether a model's name is one of those that go out as the latest Codex model. */
export function isOlderCodex(model: string): boolean {
  return OLDER_CODEX.test(model);
}

/**
 * Builds the map of one process.
 *
 * @param latest Asked only when a name is mapped.
 * @param nobodyFor Whether nobody may serve a model now: then the name asked for goes out, if somebody may serve that.
 */
export function createModelMap(
  env: Environment,
  latest: (asked: string) => string,
  nobodyFor: (model: string) => boolean = () => false,
): ModelMap {
  if (!prefersLatest(env)) return () => undefined;
  return (asked) => {
    // One look at the length and the letters spares nearly every request the rest.
    if (!asked.includes("-codex") || !isOlderCodex(asked)) return undefined;
    const target = latest(asked);
    if (target === asked) return undefined;
    // Where nobody may serve either, whoever is back in time gets what is sure to be served.
    return nobodyFor(target) && !nobodyFor(asked) ? undefined : target;
  };
}
