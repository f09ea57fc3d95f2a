/**
 * What we use of `solid-js`, of which OpenCode gives its own copy to a TUI plugin.
 *
 * @module
 */

/** A value that tells who reads it when it changes. */
export declare function createSignal<T>(
  value: T,
  options?: { equals?: false },
): [read: () => T, write: (value: T) => void];
