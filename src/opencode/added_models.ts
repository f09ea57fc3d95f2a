import { isOlderCodex, latestModel, prefersLatest } from "../codex/model_map.ts";
import { systemClock } from "../platform/clock.ts";
import { statIfExists } from "../platform/files.ts";
import { type Environment, resolvePaths } from "../platform/paths.ts";
import { openLocalStore } from "../store/local.ts";
import { type ListedModel, type ModelList, readModelLists } from "../store/models.ts";
import type { HostModel } from "./host.ts";

/** What one answer may have, in tokens: the backend does not say; OpenCode's own entries of this provider have this. */
const OUTPUT = 128_000;
/** What may be sent where the backend does not say, in tokens; from the same entries. */
const INPUT = 272_000;
/** Efforts where no list names them: those of the models that the older names stand for. */
const EFFORTS = ["low", "medium", "high", "xhigh"];

/**
 * The models of the provider with those that OpenCode lacks: what the backend
 * lists for an account, the one that older Codex models go out as, and those
 * older ones that the person's own configuration still names.
 *
 * @param present What OpenCode has; stays as it is.
 * @param named Models of this provider that the configuration names.
 */
export function withAddedModels(
  present: Readonly<Record<string, HostModel>>,
  lists: Iterable<ModelList>,
  named: Iterable<string>,
  env: Environment,
): Record<string, HostModel> {
  const known = [...lists];
  const models = new Map<string, ListedModel>();
  const listed = new Map<string, ListedModel>();
  for (const model of known.flatMap((list) => list.models)) {
    listed.set(model.slug, model);
    // Plans may differ in how much may be sent; what every account takes is safe.
    const other = models.get(model.slug);
    if (!model.hidden && (!other || model.context < other.context)) models.set(model.slug, model);
  }
  if (prefersLatest(env)) {
    const latest = latestModel(env, known);
    const like = listed.get(latest) ?? unlisted(latest);
    if (!models.has(latest)) models.set(latest, like);
    for (const older of named) {
      if (isOlderCodex(older)) models.set(older, { ...like, slug: older, name: nameOf(older) });
    }
  }
  const result: Record<string, HostModel> = { ...present };
  const taken = new Set(Object.values(present).map((model) => model.api?.id));
  const pattern = Object.values(present).find((model) => model.api?.npm === SDK);
  for (const model of models.values()) {
    if (Object.hasOwn(result, model.slug) || taken.has(model.slug)) continue;
    result[model.slug] = hostModel(model, pattern);
  }
  return result;
}

/** Models of the provider that a configuration names for itself, its agents and its commands. */
export function namedModels(config: Readonly<Record<string, unknown>>): string[] {
  const places = [config, ...["agent", "mode", "command"].flatMap((key) => values(config[key]))];
  return places.flatMap((place) =>
    [field(place, "model"), field(place, "small_model")].flatMap((name) =>
      typeof name === "string" && name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []
    )
  );
}

const PREFIX = "openai/";
const SDK = "@ai-sdk/openai";

function values(value: unknown): unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value) : [];
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** A model that no list describes, as the lists describe others. */
function unlisted(slug: string): ListedModel {
  return {
    slug,
    name: nameOf(slug),
    hidden: false,
    priority: 0,
    context: INPUT,
    efforts: EFFORTS,
    inputs: ["text", "image"],
  };
}

/** `gpt-5.3-codex` as people write it: `GPT-5.3 Codex`. */
function nameOf(slug: string): string {
  const [first = "", version = "", ...rest] = slug.split("-");
  const words = rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return [`${first.toUpperCase()}-${version}`, ...words].join(" ");
}

/** A model as OpenCode keeps it. */
function hostModel(model: ListedModel, pattern: HostModel | undefined): HostModel {
  const input = model.context > 0 ? model.context : INPUT;
  const inputs = model.inputs.length > 0 ? model.inputs : ["text"];
  const takes = (kind: string) => inputs.includes(kind);
  return {
    id: model.slug,
    providerID: "openai",
    name: model.name,
    family: "",
    api: { id: model.slug, npm: SDK, url: pattern?.api?.url ?? "" },
    status: "active",
    headers: {},
    options: {},
    // Paid for by the plan.
    cost: { input: 0, output: 0, cache: { read: 0, write: 0 } },
    limit: { context: input + OUTPUT, input, output: OUTPUT },
    capabilities: {
      temperature: false,
      reasoning: model.efforts.length > 0,
      attachment: takes("image") || takes("pdf"),
      toolcall: true,
      input: {
        text: true,
        audio: takes("audio"),
        image: takes("image"),
        video: takes("video"),
        pdf: takes("pdf"),
      },
      output: { text: true, audio: false, image: false, video: false, pdf: false },
      interleaved: false,
    },
    release_date: "",
    // What OpenCode sends for an effort of its own models of this provider.
    variants: Object.fromEntries(model.efforts.map((effort) => [effort, {
      reasoningEffort: effort,
      reasoningSummary: "auto",
      include: ["reasoning.encrypted_content"],
    }])),
  };
}

/** The lists that this machine remembers, past the accounts; none where nothing was stored. */
export async function cachedLists(env: Environment): Promise<ModelList[]> {
  const paths = resolvePaths(env);
  if (!statIfExists(paths.state)) return [];
  const store = await openLocalStore({ paths, env, clock: systemClock });
  try {
    return [...(await readModelLists(store)).values()];
  } finally {
    await store.close();
  }
}
