import type { Failure } from "../platform/failure.ts";
import { deniedLogin } from "./issuer_failure.ts";
import { sameState } from "./state.ts";

/** What a browser came back with, or a person pasted. */
export type Callback =
  | { readonly kind: "code"; readonly code: string }
  /** The issuer has ended this login. */
  | { readonly kind: "denied"; readonly failure: Failure }
  /** The state is missing or another login's: nothing in it may be believed. */
  | { readonly kind: "foreign"; readonly state: "missing" | "wrong" }
  /** Our state, but neither a code nor an error. */
  | { readonly kind: "empty" };

/**
 * Reads the parameters of a redirect. The state comes first: without it even
 * an error is somebody else's word.
 *
 * @param expected The state that was sent.
 */
export function readCallback(parameters: URLSearchParams, expected: string): Callback {
  const state = single(parameters, "state");
  if (state === undefined) return { kind: "foreign", state: "missing" };
  if (!sameState(state, expected)) return { kind: "foreign", state: "wrong" };
  const error = single(parameters, "error");
  if (error !== undefined) {
    const description = single(parameters, "error_description");
    return { kind: "denied", failure: deniedLogin(error, description) };
  }
  const code = single(parameters, "code");
  return code === undefined ? { kind: "empty" } : { kind: "code", code };
}

/** A parameter's value; none when it is empty, or given twice so that it can be read two ways. */
function single(parameters: URLSearchParams, name: string): string | undefined {
  const values = parameters.getAll(name);
  const value = values[0]?.trim();
  return values.length === 1 && value ? value : undefined;
}
