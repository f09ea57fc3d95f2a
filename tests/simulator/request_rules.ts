import { isObject, jsonObject } from "./http.ts";
import type { Plan } from "./plan.ts";
import { foreignReasoning } from "./reasoning.ts";

/** A request for a model turn that the backend takes. */
export interface TurnRequest {
  readonly model: string;
  /** Whether the answer carries encrypted reasoning. */
  readonly wantsReasoning: boolean;
  /** What the prompt cache goes by; undefined = never cached. */
  readonly cacheKey: string | undefined;
}

/** A refusal of the request itself. */
export interface RequestRefusal {
  readonly status: number;
  readonly body: unknown;
}

/** Fields that the Codex backend refuses although the public API knows them (reported). */
const REFUSED_FIELDS = [
  "max_output_tokens",
  "max_completion_tokens",
  "stream_options",
  "truncation",
];

/**
 * Checks a body of POST /codex/responses as the real backend is known to.
 *
 * Statuses, and the texts about content type, models, encrypted content and previous responses, are
 * as reported; the other texts are in the backend's manner.
 */
export function readTurn(
  contentType: string,
  body: string,
  session: string | null,
  plan: Plan,
): TurnRequest | RequestRefusal {
  if (!contentType.toLowerCase().startsWith("application/json")) {
    return detail("Unsupported content type");
  }
  const turn = jsonObject(body);
  if (!turn) return detail("Invalid JSON body");
  for (const field of REFUSED_FIELDS) {
    if (field in turn) return detail(`Unsupported parameter: ${field}`);
  }
  if (turn.store !== false) return detail("Store must be set to false");
  if (turn.stream !== true) return detail("Stream must be set to true");
  if (!Array.isArray(turn.input)) return detail("Input must be a list");
  if (typeof turn.previous_response_id === "string") {
    return invalid(
      "previous_response_not_found",
      `Previous response with id ${turn.previous_response_id} not found.`,
      "previous_response_id",
    );
  }
  const { model } = turn;
  if (typeof model !== "string" || model === "") return detail("Model is required");
  if (plan.models && !plan.models.includes(model)) {
    return detail(
      `The '${model}' model is not supported when using Codex with a ChatGPT account.`,
    );
  }
  const input: readonly unknown[] = turn.input;
  const reference = input.find((item) => isObject(item) && item.type === "item_reference");
  if (isObject(reference)) {
    const text = `Item with id '${reference.id}' not found. Items are not persisted when ` +
      "`store` is set to false.";
    return { status: 404, body: error(null, text, "input") };
  }
  const foreign = foreignReasoning(input, plan.workspaceId);
  if (foreign !== undefined) return { status: 400, body: foreign };
  return {
    model,
    wantsReasoning: wantsReasoning(turn),
    cacheKey: typeof turn.prompt_cache_key === "string"
      ? turn.prompt_cache_key
      : session ?? undefined,
  };
}

function wantsReasoning(turn: Record<string, unknown>): boolean {
  const asked = Array.isArray(turn.include) && turn.include.includes("reasoning.encrypted_content");
  return asked && !(isObject(turn.reasoning) && turn.reasoning.effort === "none");
}

function detail(text: string): RequestRefusal {
  return { status: 400, body: { detail: text } };
}

function invalid(code: string, message: string, param: string): RequestRefusal {
  return { status: 400, body: error(code, message, param) };
}

function error(code: string | null, message: string, param: string): unknown {
  return { error: { message, type: "invalid_request_error", param, code } };
}
