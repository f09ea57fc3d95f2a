import type { Clock } from "../platform/clock.ts";
import type { Store } from "../store/store.ts";

/** Sessions remembered in memory; the store remembers more. */
const MAX_SESSIONS = 20_000;
/** How often a session's last use is written again, in milliseconds. */
const TOUCH_MS = 60_000;

interface Entry {
  accountId: string;
  savedAt: number;
  moved: boolean;
}

/**
 * Which account each conversation stays on, so that the backend's prompt cache
 * keeps working. In memory first; a session met for the first time is looked
 * up once in the store.
 */
export class AffinityMap {
  readonly #entries = new Map<string, Entry>();
  readonly #asked = new Map<string, Promise<void>>();

  constructor(private readonly store: Store, private readonly clock: Clock) {}

  /** Makes sure that {@linkcode get} knows what the store knows. Resolves at once for a known session. */
  async recall(session: string): Promise<void> {
    if (this.#entries.has(session)) return;
    let asked = this.#asked.get(session);
    if (!asked) {
      asked = this.#ask(session).finally(() => this.#asked.delete(session));
      this.#asked.set(session, asked);
    }
    await asked;
  }

  /** The account id of a session, or undefined. */
  get(session: string): string | undefined {
    return this.#entries.get(session)?.accountId;
  }

  /** Whether a session was ever on two accounts, or carries what another one minted. */
  hasMoved(session: string | undefined): boolean {
    return session !== undefined && this.#entries.get(session)?.moved === true;
  }

  /** Puts a session on an account; leaving another one makes it a session that has moved. */
  set(session: string, accountId: string, moves = false): void {
    const now = this.clock.now();
    const entry = this.#entries.get(session);
    const moved = moves || (entry !== undefined && (entry.moved || entry.accountId !== accountId));
    if (
      entry && entry.accountId === accountId && entry.moved === moved &&
      now - entry.savedAt < TOUCH_MS
    ) return;
    this.#remember(session, { accountId, savedAt: now, moved });
    this.store.setAffinity({ session, accountId, at: now, ...(moved && { moved }) });
  }

  async #ask(session: string): Promise<void> {
    const known = await this.store.affinity(session);
    // A request that ran beside this one may have decided meanwhile.
    if (known && !this.#entries.has(session)) {
      this.#remember(session, {
        accountId: known.accountId,
        savedAt: known.at,
        moved: known.moved === true,
      });
    }
  }

  #remember(session: string, entry: Entry): void {
    this.#entries.delete(session);
    this.#entries.set(session, entry);
    if (this.#entries.size > MAX_SESSIONS) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
  }
}
