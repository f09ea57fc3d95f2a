import { type Account, isRenewed } from "../account/account.ts";
import { sleep } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import type { Choice, Demand } from "../rotation/pool.ts";
import type { Attempt } from "./attempt.ts";
import { inTime, keepFresh } from "./freshness.ts";
import { collectLate } from "./late_collect.ts";
import type { JourneyOptions, SharedState } from "./journey_options.ts";
import { learn } from "./learn.ts";
import { nobodyAnswer } from "./nobody.ts";
import { edgeAnswer, storeAnswer, unreachableAnswer } from "./own_answers.ts";
import type { PreparedBody } from "./prepared_body.ts";
import type { IncomingRequest } from "./request.ts";
import type { StreamEnd } from "./stream.ts";
import { readTokens } from "./token_figures.ts";

/** Longest that one request goes from account to account, in milliseconds; OpenCode's own limit for headers is 300 s. */
const TOTAL_MS = 240_000;
/** Most answers that one request may cost, whatever happens. */
const MAX_ATTEMPTS = 40;
/** Longest wait for an account that is only slowed down, when no other is there, in milliseconds. */
const MAX_THROTTLE_WAIT_MS = 10_000;

/** One request on its way over the accounts. */
export class Journey {
  readonly #end: number;
  /** Accounts that this request must not ask again, and what came of them. */
  readonly #tried = new Map<string, string>();
  /** Accounts whose token was renewed for this request. */
  readonly #renewed = new Set<string>();
  /** Accounts whose token has ended and could not be renewed, by id, and why. */
  readonly #unrenewed = new Map<string, string>();
  #reasoningDropped = false;
  /** Whether the last body was looked through for reasoning of others. */
  #chosen = false;
  /** The account that has served the session so far, by id. */
  #home = "";
  #edgeWaited = 0;
  /** The last answer that was nobody's fault, for when nobody does better. */
  #trouble: Attempt | undefined;

  constructor(
    private readonly options: JourneyOptions,
    private readonly state: SharedState,
    private readonly incoming: IncomingRequest,
    private readonly url: string,
    private readonly body: PreparedBody,
    private readonly demand: Demand,
  ) {
    this.#end = options.clock.now() + TOTAL_MS;
  }

  /**
   * Asks one account after the other until one answers.
   *
   * @throws The caller's own abort reason, nothing else.
   */
  async run(): Promise<Response> {
    const { pool, clock } = this.options;
    const wait = this.state.edge.entry();
    if (wait === undefined) return edgeAnswer();
    if (wait > 0) await this.#sleep(wait);
    for (let attempt = 0; attempt < MAX_ATTEMPTS && clock.now() < this.#end; attempt++) {
      const unreadable = await this.#refreshPool();
      if (unreadable) return unreadable;
      const choice = await pool.choose(this.demand, this.#tried);
      if (!choice) {
        if (await this.#waitForThrottled()) continue;
        if (await this.options.catchUp?.(this.incoming.signal)) continue;
        return this.#nobody();
      }
      this.#home ||= choice.movedFrom ?? choice.account.id;
      // With rotation by request every request moves; nobody wants to hear of each.
      if (choice.movedFrom !== undefined && this.options.settings().rotate === "session") {
        this.#announce(choice);
      }
      const answer = await this.#ask(choice);
      if (answer) return answer;
    }
    return this.#nobody();
  }

  /** A store that cannot be read stops nobody who knows the accounts already. */
  async #refreshPool(): Promise<Response | undefined> {
    const { pool, log } = this.options;
    try {
      await pool.refresh();
    } catch (error) {
      log.error(messageOf(error));
      if (!pool.loaded) return storeAnswer(error);
    }
    return undefined;
  }

  /** Asks one account. Undefined means: choose again. */
  async #ask(choice: Choice): Promise<Response | undefined> {
    const { exposure, foreign } = this.state;
    const { id } = choice.account;
    if (!await exposure.turn(id, this.incoming.signal, this.#end)) return undefined;
    const { account, why } = await keepFresh(choice.account, this.options, this.#end);
    if (!account) {
      if (why) this.#unrenewed.set(id, why);
      return this.#skip(choice.account, "no fresh token");
    }
    this.#chosen = this.options.pool.affinity.hasMoved(this.demand.session);
    if (!this.#chosen) return await this.#send(this.body.whole, account);
    return await this.#send(await foreign.readable(this.body, id, this.#home), account);
  }

  async #send(body: BodyInit | undefined, account: Account): Promise<Response | undefined> {
    const attempt = await this.options.sender.send({
      incoming: this.incoming,
      url: this.url,
      body,
      account,
      until: this.#end,
      onEnd: (end) => this.#ended(end, account),
    });
    await this.#learn(attempt, account);
    return await this.#decide(attempt, account);
  }

  /** A good answer is over, one way or the other. */
  #ended(end: StreamEnd, account: Account): void {
    const { pool, log } = this.options;
    const outcome = end.outcome ?? { kind: "ok" };
    const tokens = end.data && readTokens(end.data());
    if (tokens) pool.spent(account.id, this.demand.model ?? "", tokens);
    if (end.how === "terminal" && outcome.kind === "ok") pool.answered(account.id);
    else if (end.how !== "cancelled") {
      log.warn(`${account.alias}: the answer ended early (${end.how})`);
    }
    // A limit that strikes in mid-answer concerns the next request.
    if (outcome.kind !== "ok") void this.#learn({ outcome, windows: [] }, account);
  }

  /** The pool learns at once; that the store cannot be written must not cost the answer. */
  async #learn(attempt: Attempt, account: Account): Promise<void> {
    try {
      await learn(attempt, account, this.demand, this.options);
    } catch (error) {
      this.options.log.error(messageOf(error));
    }
  }

  async #decide(attempt: Attempt, account: Account): Promise<Response | undefined> {
    const { outcome, response } = attempt;
    if (outcome.kind !== "edge block") this.state.edge.passed();
    if (outcome.kind === "ok") this.state.exposure.passed(account.id);
    switch (outcome.kind) {
      case "ok":
      case "pass through":
        if (!response) return this.#skip(account, outcome.kind);
        if (outcome.kind !== "ok" || !this.body.collects) return response;
        return await collectLate(response, this.options.log);
      case "unauthorized":
        return await this.#renew(account);
      case "foreign reasoning":
        if (this.#reasoningDropped) return response;
        this.#reasoningDropped = true;
        return await this.#withoutReasoning(account);
      case "edge block": {
        const wait = this.state.edge.refused(this.#edgeWaited);
        if (wait === undefined) return edgeAnswer();
        this.#edgeWaited += wait;
        await this.#sleep(wait);
        return undefined;
      }
      case "server trouble":
        this.#trouble = attempt;
        this.options.log.warn(
          `${account.alias}: ${
            attempt.trouble ?? `server trouble (${response?.status ?? "in the stream"})`
          }`,
        );
        return this.#skip(account, attempt.trouble ?? outcome.kind);
      default:
        // Limits and the like: `learn` has blocked the account, the pool takes another.
        return outcome.kind === "throttled" ? undefined : this.#skip(account, outcome.kind);
    }
  }

  /** The same account once more, without the reasoning it cannot read. */
  async #withoutReasoning(account: Account): Promise<Response | undefined> {
    const { session } = this.demand;
    if (session === undefined) return await this.#send(this.body.without(() => false), account);
    // Maybe a copy of a conversation that has moved; from here on it is looked at as well.
    // A request beside this one may have moved it meanwhile: there it stays.
    const { affinity } = this.options.pool;
    affinity.set(session, affinity.get(session) ?? account.id, true);
    const body = this.state.foreign.mended(this.body, account.id, this.#chosen);
    return await this.#send(await body, account);
  }

  /** A refused token: renewed once for this request; refused again, the account needs its person. */
  async #renew(account: Account): Promise<Response | undefined> {
    const { pool, refresher, setAside, clock } = this.options;
    this.state.exposure.invalidated(account.id);
    const known = pool.account(account.id);
    if (known && isRenewed(account, known) && !this.#renewed.has(account.id)) {
      this.#renewed.add(account.id);
      return undefined;
    }
    if (this.#renewed.has(account.id)) {
      await setAside(account, "needs login");
      return this.#skip(account, "token refused");
    }
    this.#renewed.add(account.id);
    const turn = this.state.exposure.turn(account.id, this.incoming.signal, this.#end);
    if (!await turn) return undefined;
    const renewed = await inTime(
      refresher.refresh(account, true),
      this.#end - clock.now(),
      clock,
    );
    if (renewed?.kind === "fresh" || renewed?.kind === "set aside") pool.replace(renewed.account);
    if (renewed?.kind === "failed" && renewed.why) this.#unrenewed.set(account.id, renewed.why);
    return renewed?.kind === "fresh" ? undefined : this.#skip(account, "token refused");
  }

  #skip(account: Account, why: string): undefined {
    this.#tried.set(account.id, why);
    return undefined;
  }

  /** Every account is busy for a moment only: worth a wait instead of an error. */
  async #waitForThrottled(): Promise<boolean> {
    const now = this.options.clock.now();
    let earliest = Number.POSITIVE_INFINITY;
    for (const { account, hindrance } of this.options.pool.absences(this.demand.model)) {
      if (this.#tried.has(account.id) || hindrance?.kind !== "blocked") continue;
      if (hindrance.block.reason !== "rate limit") continue;
      earliest = Math.min(earliest, hindrance.block.until);
    }
    if (earliest - now > MAX_THROTTLE_WAIT_MS || earliest >= this.#end) return false;
    await this.#sleep(earliest - now);
    return true;
  }

  /** The end of the road: the best of what was seen, else why nobody can serve. */
  #nobody(): Response {
    if (this.#trouble) {
      return this.#trouble.response ?? unreachableAnswer(this.#trouble.trouble);
    }
    return nobodyAnswer(this.options, this.demand.model, this.#unrenewed);
  }

  #announce(choice: Choice): void {
    const { pool, log, onEvent } = this.options;
    const { session } = this.demand;
    const from = pool.account(choice.movedFrom ?? "")?.alias ?? "a removed account";
    const to = choice.account.alias;
    log.info(`session moves from ${from} to ${to}`);
    if (session !== undefined) onEvent?.({ kind: "moved", session, from, to });
  }

  #sleep(ms: number): Promise<void> {
    return sleep(this.options.clock, ms, this.incoming.signal);
  }
}
