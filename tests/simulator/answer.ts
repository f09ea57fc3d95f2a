/**
 * The events of an answer, in the order and form of `tests/fixtures/sse/ok.sse` and `tool-call.sse`.
 *
 * @module
 */
import type { Identifiers } from "./identifiers.ts";

/** What the model says: text, or a call of one of the client's tools. */
export type Reply = string | ToolCall;

/** A tool call; arguments that are not a text are written as JSON. */
export interface ToolCall {
  name: string;
  arguments: string | Record<string, unknown>;
}

/** One server-sent event; its `type` is also the name of the event. */
export interface StreamEvent {
  type: string;
  [field: string]: unknown;
}

/** Token counts of one answer. */
export interface Usage {
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
}

/** What an answer is made from. */
export interface AnswerParts {
  readonly reply: Reply;
  readonly model: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Encrypted reasoning to hand out, when the request asked for it. */
  readonly encryptedReasoning: string | undefined;
  readonly usage: Usage;
  readonly identifiers: Identifiers;
}

type Item = Record<string, unknown>;

/** A text is some four characters a token: enough for figures that make sense. */
export function tokensIn(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** All events of a good answer; the last one completes it. */
export function answerEvents(parts: AnswerParts): StreamEvent[] {
  const response = responseHead(parts);
  const output: Item[] = [];
  const events: StreamEvent[] = [
    { type: "response.created", response: { ...response, status: "in_progress", output: [] } },
    { type: "response.in_progress", response: { ...response, status: "in_progress", output: [] } },
  ];
  if (parts.encryptedReasoning !== undefined) {
    events.push(...reasoningEvents(parts, output));
  }
  const written = typeof parts.reply === "string"
    ? messageEvents(parts.reply, parts, output)
    : toolCallEvents(parts.reply, parts, output);
  events.push(...written);
  events.push({
    type: "response.completed",
    response: { ...response, status: "completed", output, usage: usageBody(parts) },
  });
  return events.map((event, index) => ({ ...event, sequence_number: index }));
}

/** A `response.failed` that says the quota is spent, alone or after `response.created`. */
export function usageLimitEvents(
  parts: Pick<AnswerParts, "model" | "at" | "identifiers">,
  after: "nothing" | "created",
  error: Record<string, unknown>,
): StreamEvent[] {
  const response = responseHead(parts);
  const failed: StreamEvent = {
    type: "response.failed",
    response: { ...response, status: "failed", output: [], error },
  };
  const created: StreamEvent = {
    type: "response.created",
    response: { ...response, status: "in_progress", output: [] },
  };
  const events = after === "created" ? [created, failed] : [failed];
  return events.map((event, index) => ({ ...event, sequence_number: index }));
}

function responseHead(
  { model, at, identifiers }: Pick<AnswerParts, "model" | "at" | "identifiers">,
): Item {
  const id = identifiers.named("resp");
  return { id, object: "response", created_at: Math.floor(at / 1000), model };
}

function reasoningEvents(parts: AnswerParts, output: Item[]): StreamEvent[] {
  const output_index = output.length;
  const head = { id: parts.identifiers.named("rs"), type: "reasoning", summary: [] };
  const item = { ...head, encrypted_content: parts.encryptedReasoning };
  output.push(item);
  return [
    {
      type: "response.output_item.added",
      output_index,
      item: { ...head, encrypted_content: null },
    },
    { type: "response.output_item.done", output_index, item },
  ];
}

function messageEvents(text: string, parts: AnswerParts, output: Item[]): StreamEvent[] {
  const output_index = output.length;
  const item_id = parts.identifiers.named("msg");
  const head = { id: item_id, type: "message", role: "assistant" };
  const part = { type: "output_text", text, annotations: [] };
  const item = { ...head, status: "completed", content: [part] };
  const place = { item_id, output_index, content_index: 0 };
  output.push(item);
  return [
    {
      type: "response.output_item.added",
      output_index,
      item: { ...head, status: "in_progress", content: [] },
    },
    { type: "response.content_part.added", ...place, part: { ...part, text: "" } },
    ...words(text).map((delta) => ({ type: "response.output_text.delta", ...place, delta })),
    { type: "response.output_text.done", ...place, text },
    { type: "response.content_part.done", ...place, part },
    { type: "response.output_item.done", output_index, item },
  ];
}

function toolCallEvents(call: ToolCall, parts: AnswerParts, output: Item[]): StreamEvent[] {
  const output_index = output.length;
  const text = argumentsText(call);
  const item_id = parts.identifiers.named("fc");
  const head = {
    id: item_id,
    type: "function_call",
    call_id: parts.identifiers.named("call"),
    name: call.name,
  };
  const item = { ...head, arguments: text, status: "completed" };
  output.push(item);
  return [
    {
      type: "response.output_item.added",
      output_index,
      item: { ...head, arguments: "", status: "in_progress" },
    },
    { type: "response.function_call_arguments.delta", item_id, output_index, delta: text },
    { type: "response.function_call_arguments.done", item_id, output_index, arguments: text },
    { type: "response.output_item.done", output_index, item },
  ];
}

function argumentsText(call: ToolCall): string {
  return typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments);
}

/** Words with the space that follows them, so that deltas join to the text. */
function words(text: string): string[] {
  return text.match(/\S+\s*|\s+/g) ?? [];
}

function usageBody({ reply, usage }: AnswerParts): Item {
  const visible = tokensIn(typeof reply === "string" ? reply : argumentsText(reply));
  const output_tokens = visible + usage.reasoningTokens;
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens },
    output_tokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.inputTokens + output_tokens,
  };
}
