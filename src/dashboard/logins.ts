import {
  type LoginOptions,
  type PendingLogin,
  startBrowserLogin,
  startDeviceLogin,
  startPastedLogin,
} from "../oauth/login.ts";
import type { Tokens } from "../oauth/tokens.ts";
import { Failure, messageOf } from "../platform/failure.ts";
import { admit } from "../store/admission.ts";
import type { Store } from "../store/store.ts";
import type { LoginModel } from "./model.ts";

/** How a person signs in. */
export const WAYS = ["browser", "device", "paste"] as const;
/** One of {@linkcode WAYS}. */
export type Way = typeof WAYS[number];

/** The one login that is under way, or the last one. */
interface Login {
  model: LoginModel;
  /** Ends it. */
  cancel(): void;
  /** Takes what was pasted; only for that way. */
  finish?(text: string): Promise<Tokens>;
}

/** Signing in from the page: one login at a time. */
export class Logins {
  #login: Login | undefined;

  /** @param options.changed Is called after each step. */
  constructor(
    private readonly options: LoginOptions & {
      readonly store: Store;
      /** Ports for the browser's return (default: those that the issuer takes). */
      readonly ports?: readonly number[] | undefined;
      readonly changed: () => void;
    },
  ) {}

  /** What the page shows of it; null when there was none. */
  get model(): LoginModel | null {
    return this.#login?.model ?? null;
  }

  /**
   * Starts one. A login that waits already gives way.
   *
   * @param alias Where it is stored; an account of that alias is signed in again.
   * @throws {Failure} when it cannot be started.
   */
  async start(alias: string, way: Way): Promise<void> {
    this.#login?.cancel();
    const login: Login = {
      model: { alias, way, state: "waiting", url: null, userCode: null, message: null },
      cancel: () => {},
    };
    this.#login = login;
    try {
      await this.#begin(login, way);
    } catch (error) {
      if (this.#login === login) this.#login = undefined;
      throw error;
    } finally {
      this.options.changed();
    }
  }

  /**
   * Finishes a login with a pasted callback. After a wrong text it may be called again.
   *
   * @throws {Failure} when the text is not this login's, or it cannot be stored.
   */
  async paste(text: string): Promise<void> {
    const login = this.#login;
    if (!login?.finish || login.model.state !== "waiting") {
      throw new Failure("No login waits for an address.", "Start one first.");
    }
    await this.#admit(login, await login.finish(text));
  }

  /** Ends the one that is under way, and forgets the last one's outcome. */
  cancel(): void {
    this.#login?.cancel();
    this.#login = undefined;
    this.options.changed();
  }

  async #begin(login: Login, way: Way): Promise<void> {
    const { ports, ...network } = this.options;
    if (way === "paste") {
      const { url, finish } = await startPastedLogin(network);
      login.finish = finish;
      login.model = { ...login.model, url };
      return;
    }
    const pending: PendingLogin & { readonly userCode?: string } = way === "device"
      ? await startDeviceLogin(network)
      : await startBrowserLogin({ ...network, ...(ports === undefined ? {} : { ports }) });
    login.cancel = pending.cancel;
    // Somebody else may have started one meanwhile.
    if (this.#login !== login) pending.cancel();
    login.model = {
      ...login.model,
      url: pending.url,
      userCode: pending.userCode ?? null,
    };
    void pending.result.then((tokens) => this.#admit(login, tokens)).catch((error) =>
      this.#end(login, "failed", messageOf(error))
    );
  }

  async #admit(login: Login, tokens: Tokens): Promise<void> {
    // Whoever has cancelled means it, even if the last answer was on its way.
    if (this.#login !== login) return;
    const { store, clock } = this.options;
    const { alias } = login.model;
    const { account, added } = await admit(store, alias, tokens, "login", clock.now());
    const whose = account.email === undefined ? "" : ` (${account.email})`;
    this.#end(login, "done", `${alias}${whose} ${added ? "was added" : "is signed in again"}.`);
  }

  #end(login: Login, state: "done" | "failed", message: string): void {
    if (this.#login !== login) return;
    login.cancel = () => {};
    login.model = { ...login.model, state, url: null, userCode: null, message };
    this.options.changed();
  }
}
