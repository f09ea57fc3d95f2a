import assert from "node:assert/strict";
import {
  describeExhaustion,
  exhaustedResponse,
  exhaustionNotice,
  RESET_HEADER,
} from "../../src/codex/exhausted.ts";
import { type Block, NO_END } from "../../src/quota/block.ts";
import type { Absence } from "../../src/rotation/pool.ts";
import { testAccount } from "../memory_store.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Noon here, so that two hours later is the same day in every zone. */
const NOON = new Date(2026, 10, 23, 12).getTime();

function blocked(alias: string, until: number, reason: Block["reason"] = "usage limit"): Absence {
  const block: Block = {
    subject: `account:id-${alias}`,
    model: "",
    reason,
    until,
    since: 0,
    source: "body",
  };
  return { account: testAccount(alias), hindrance: { kind: "blocked", block } };
}

Deno.test("an exhausted pool names each account with what keeps it", () => {
  const { message, earliest } = describeExhaustion([
    { account: testAccount("silent"), hindrance: undefined },
    { account: testAccount("off"), hindrance: { kind: "disabled" } },
    { account: testAccount("out"), hindrance: { kind: "set aside", reason: "needs login" } },
    blocked("never", NO_END),
    blocked("late", NOON + 3 * HOUR),
    blocked("soon", NOON + 2 * HOUR),
    blocked("same", NOON + 2 * HOUR),
  ], NOON);
  assert.equal(earliest, NOON + 2 * HOUR);
  const parts = message.replace(/^[^:]*: /, "").split("; ");
  assert.deepEqual(parts.slice(0, 4), [
    "silent did not answer",
    "off is disabled",
    "out needs login",
    "never at its limit",
  ]);
  assert.match(message, /first to come back is soon at .* \(in 2 ?h/);
});

Deno.test("a token that cannot be renewed is said with the reason, and a reason that all share once", () => {
  const full = "There is no space left to write state.db. Free some space.";
  const why = new Map([["id-a", full], ["id-b", full]]);
  const silent = ["a", "b", "c"].map((alias) => ({
    account: testAccount(alias),
    hindrance: undefined,
  }));
  assert.equal(
    describeExhaustion(silent, NOON, why).message,
    "No ChatGPT account can serve now: a has no token that lives; b has no token that lives; " +
      `c did not answer. Tokens cannot be renewed: ${full}`,
  );
  assert.match(
    describeExhaustion([...silent, blocked("d", NOON + HOUR)], NOON, why).message,
    /first to come back is d .* Tokens cannot be renewed: There is no space left/,
  );
});

Deno.test("an end is told by its hour today, by its weekday this week, by its date beyond", () => {
  const told = (until: number) => describeExhaustion([blocked("a", until)], NOON).message;
  const weekday = (at: number) => new Date(at).toLocaleDateString(undefined, { weekday: "long" });
  const date = (at: number) =>
    new Date(at).toLocaleDateString(undefined, { month: "long", day: "numeric" });
  const today = told(NOON + 2 * HOUR);
  assert.ok(!today.includes(weekday(NOON)) && !today.includes(date(NOON)), today);
  for (const at of [NOON + DAY, NOON + 6 * DAY - 1]) {
    assert.ok(told(at).includes(`${weekday(at)} `), told(at));
    assert.ok(!told(at).includes(date(at)));
  }
  for (const at of [NOON + 6 * DAY, NOON + 20 * DAY]) {
    assert.ok(told(at).includes(`${date(at)} `), told(at));
  }
});

Deno.test("an answer without a known end has no header for it, and sends to status", () => {
  const exhaustion = describeExhaustion([
    { account: testAccount("off"), hindrance: { kind: "disabled" } },
  ], NOON);
  assert.match(exhaustion.message, /opencode-multi-auth status$/);
  const answer = exhaustedResponse(exhaustion, undefined);
  assert.equal(answer.headers.has(RESET_HEADER), false);
});

Deno.test("the notice says until when OpenCode waits", () => {
  const exhaustion = describeExhaustion([blocked("a", NOON + 2 * HOUR)], NOON);
  const at = new Date(NOON + HOUR)
    .toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" });
  const notice = exhaustionNotice(exhaustion, HOUR, NOON);
  assert.equal(notice, `OpenCode waits until ${at}. ${exhaustion.message}`);
  assert.equal(exhaustionNotice(exhaustion, undefined, NOON), exhaustion.message);
});
