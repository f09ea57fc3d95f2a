/**
 * The events with which we end a stream that its backend did not end.
 *
 * OpenCode takes `response.completed`, `response.incomplete`,
 * `response.failed` and `error` for an end. Without one of them it sends the
 * same turn again at once, for ever; after an error it tries five times,
 * slower each time, if the text speaks of a lost connection.
 *
 * @module
 */
import { isBag } from "./refusal.ts";

/** Why an answer stopped in the middle. */
export type Fault = "ended early" | "silent" | "cut";

// "connection lost" is among the words on which OpenCode tries again. The texts name no account and hold no
// digits, since a status number among them would be taken for one.
const MESSAGES: Readonly<Record<Fault, string>> = {
  "ended early": "connection lost: the answer stopped before its end",
  silent: "connection lost: the answer fell silent before its end",
  cut: "connection lost: the answer broke off before its end",
};

/** The error event that ends an answer which stopped in the middle, framed. */
export function faultEvent(fault: Fault): string {
  return frame(faultData(fault));
}

/** The data of that event. */
export function faultData(
  fault: Fault,
): { readonly type: "error"; readonly [key: string]: unknown } {
  return {
    type: "error",
    sequence_number: 0,
    error: {
      type: "server_error",
      code: "connection_lost",
      message: MESSAGES[fault],
      param: null,
    },
  };
}

const ENDINGS: Readonly<Record<string, string>> = {
  incomplete: "response.incomplete",
  failed: "response.failed",
};

/**
 * The terminal event that OpenCode understands, made of a `response.done`,
 * which it does not: the old alias stands for every ending, and the status
 * inside says which.
 *
 * @param data The data of the `response.done` event.
 * @returns The event, framed; undefined when the data holds no response.
 */
export function endingFromDone(data: string): string | undefined {
  const event = parse(data);
  if (!isBag(event)) return undefined;
  const response = isBag(event["response"]) ? event["response"] : {};
  return frame({
    ...event,
    type: ENDINGS[String(response["status"])] ?? "response.completed",
    // Without figures OpenCode does not take the event for an end.
    response: { ...response, usage: response["usage"] ?? { input_tokens: 0, output_tokens: 0 } },
  });
}

function frame(event: { readonly type: string; readonly [key: string]: unknown }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
