/**
 * This program's version, the same as in `deno.json`; a test holds them together. Written here
 * because a bundle would carry the whole of `deno.json` for it.
 */
export const VERSION = "0.1.0";

/** The name of the binary and of the command. */
export const PROGRAM = "opencode-multi-auth";

/** The name of the npm package that OpenCode loads. */
export const PACKAGE = "opencode-multi-auth-codex";
