import { builtin } from "../platform/runtime.ts";
import type { Context } from "./context.ts";

type Format = "bold" | "dim" | "green" | "yellow" | "red" | "cyan";

/** Dresses text for standard output; the identity where colours are not wanted. */
export type Paint = (format: Format, text: string) => string;

/** The paint for a context. */
export function paintOf(context: Context): Paint {
  if (!context.colour) return (_format, text) => text;
  const { styleText } = builtin("node:util");
  // The context has decided; the stream behind it need not be the process's own.
  return (format, text) => styleText(format, text, { validateStream: false });
}
