/** What {@linkcode lateClient} loads. */
export type ClientPart = typeof import("./client_part.ts");

/** Loads what serves requests. The runtime keeps it, so a second call costs nothing. */
export function lateClient(): Promise<ClientPart> {
  return import("./client_part.ts");
}
