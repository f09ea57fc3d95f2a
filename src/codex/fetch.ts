import { Edge } from "./edge.ts";
import { errorResponse } from "./error_response.ts";
import { Exposure } from "./exposure.ts";
import { ForeignReasoning } from "./foreign_reasoning.ts";
import { Journey } from "./journey.ts";
import type { JourneyOptions, SharedState } from "./journey_options.ts";
import type { ModelMap } from "./model_map.ts";
import { prepareBody } from "./prepared_body.ts";
import {
  backendPath,
  type FetchInput,
  type IncomingRequest,
  readRequest,
  sessionOf,
  UnsupportedBody,
} from "./request.ts";

/** The `fetch` that OpenCode calls: one request, served by whichever account can. */
export type CodexFetch = (input: FetchInput, init?: RequestInit) => Promise<Response>;

/** What the failover fetch needs. */
export interface FetchOptions extends JourneyOptions {
  /** Other names for models (default: every model goes out as it is asked for). */
  readonly mapModel?: ModelMap;
}

/**
 * Builds the failover fetch. It answers with the backend's own answer wherever
 * there is one; its own errors are JSON in the backend's form. It rejects only
 * with the caller's own abort reason.
 */
export function createCodexFetch(options: FetchOptions): CodexFetch {
  const { clock } = options;
  const state: SharedState = {
    edge: new Edge(clock, options.random),
    exposure: options.exposure ?? new Exposure(clock),
    foreign: new ForeignReasoning(options.store, options.log),
  };
  return async (input, init) => {
    let incoming: IncomingRequest;
    try {
      incoming = await readRequest(input, init);
    } catch (error) {
      if (!(error instanceof UnsupportedBody)) throw error;
      return errorResponse(400, { message: error.message, code: "unsupported_body" });
    }
    incoming.signal?.throwIfAborted();
    const path = backendPath(incoming.path);
    if (path === undefined) {
      return errorResponse(400, {
        message: `The Codex backend has no ${incoming.path}. ` +
          "Use a model of the openai provider that speaks the Responses API.",
        code: "unsupported_path",
      });
    }
    const session = sessionOf(incoming.headers);
    const body = prepareBody(incoming.body, path, session === undefined, options.mapModel);
    if (body === undefined) {
      return errorResponse(400, {
        message: "The request's body is not a JSON object.",
        code: "bad_body",
      });
    }
    if (body.askedModel !== undefined) {
      options.log.debug(`model map: ${body.askedModel} -> ${body.model}`);
    }
    return await new Journey(options, state, incoming, options.backend + path, body, {
      session: session ?? body.promptCacheKey,
      parent: incoming.headers.get("x-parent-session-id") ?? undefined,
      model: body.model,
    }).run();
  };
}
