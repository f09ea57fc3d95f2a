import type { Account } from "../account/account.ts";
import type { Hindrance } from "./eligibility.ts";

/** What a request says about itself. */
export interface Demand {
  /** The conversation; undefined when the request names none. */
  readonly session?: string | undefined;
  /** The conversation that started this one, for sub-agents. */
  readonly parent?: string | undefined;
  /** The model it asks for. */
  readonly model?: string | undefined;
}

/** The account for a request, and why. */
export interface Choice {
  /** Whom to send. */
  readonly account: Account;
  /** In words for the person. */
  readonly reason: string;
  /** The account that the session leaves, if it moves. */
  readonly movedFrom?: string;
}

/** One account of a pool that has nobody to send. */
export interface Absence {
  /** Who cannot serve. */
  readonly account: Account;
  /** Why, where that is known. */
  readonly hindrance: Hindrance | undefined;
}
