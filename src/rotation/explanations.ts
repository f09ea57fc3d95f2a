import type { Account } from "../account/account.ts";
import type { Explanation, Store } from "../store/store.ts";
import type { Hindrance } from "./eligibility.ts";

/** The reason of a choice that the person's pin has made. */
export const PINNED = "pinned";

/** Sessions of which it is remembered that their pin was noted. */
const MAX_TOLD = 10_000;

/** The account that a session was on. */
export interface Home {
  /** Undefined when it is gone. */
  readonly account: Account | undefined;
  readonly hindrance: Hindrance | undefined;
  /** What came of it when this request tried it. */
  readonly tried: string | undefined;
}

/**
 * Notes why a session is where it is: its first choice, its moves, and a pin
 * that takes it. That it stays says nothing new.
 */
export class Explanations {
  readonly #told = new Set<string | undefined>();

  constructor(private readonly store: Store) {}

  /** From here on another pin, or none, is in force. */
  forgetPin(): void {
    this.#told.clear();
  }

  /**
   * @param choice Without `leftId` and `why`, which follow from `home`.
   * @param home Looked at only when the session moves.
   */
  note(choice: Explanation, homeId: string | undefined, home: (id: string) => Home): void {
    const { session, accountId, reason } = choice;
    const moves = homeId !== accountId;
    if (!moves && (reason !== PINNED || this.#told.has(session))) return;
    if (reason === PINNED) {
      if (this.#told.size >= MAX_TOLD) this.#told.clear();
      this.#told.add(session);
    }
    this.store.explain(
      moves && homeId !== undefined
        ? { ...choice, leftId: homeId, ...leaving(home(homeId)) }
        : choice,
    );
  }
}

function leaving({ account, hindrance, tried }: Home): Pick<Explanation, "why" | "until"> {
  if (!account) return { why: "removed" };
  if (hindrance?.kind === "blocked") {
    return { why: hindrance.block.reason, until: hindrance.block.until };
  }
  return { why: hindrance?.kind === "set aside" ? hindrance.reason : hindrance?.kind ?? tried };
}
