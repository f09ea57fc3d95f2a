import { accountSubject, type Block } from "../../src/quota/block.ts";
import type { QuotaWindow } from "../../src/quota/window.ts";
import type { TokenUse } from "../../src/store/past.ts";
import type { Explanation, Store } from "../../src/store/store.ts";
import type { VirtualClock } from "../virtual_clock.ts";

/** Where stores of one kind are opened for one test. */
export interface StoreBed {
  readonly clock: VirtualClock;
  /** Opens a store on what all stores of this bed share, as another process would. */
  open(): Promise<Store>;
  /** The usage ledger as it is saved, by day, account and model. */
  tokenUse(): Promise<TokenUse[]>;
  /** The choices that are saved, oldest first. */
  choices(): Promise<Explanation[]>;
  /** Closes every store and throws everything away. */
  remove(): Promise<void>;
}

/** Registers a test of a kind of store. */
export type ContractTest = (name: string, work: (bed: StoreBed) => Promise<void>) => void;

/** A block of account "a", an hour long. */
export function block(fields: Partial<Block>): Block {
  return {
    subject: accountSubject("id-a"),
    model: "",
    reason: "usage limit",
    until: 1795456800_000 + 3_600_000,
    source: "body",
    since: 1795456800_000,
    ...fields,
  };
}

export function quota(fields: Partial<QuotaWindow>): QuotaWindow {
  return {
    bucket: "codex",
    minutes: 300,
    usedPercent: 50,
    resetsAt: null,
    observedAt: 0,
    ...fields,
  };
}
