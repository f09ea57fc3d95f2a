/**
 * Signing in, in three ways, without any user interface: the command line and
 * the plugin both show what these give them.
 *
 * @module
 */
import { authorizationUrl, newLoginSecrets } from "./authorization.ts";
import { listenForCallback } from "./callback_server.ts";
import { exchangeCode } from "./code_exchange.ts";
import { requestDeviceCode, waitForDevice } from "./device.ts";
import { CALLBACK_PORTS, callbackUrl } from "./issuer.ts";
import { cancelled } from "./issuer_failure.ts";
import { readPastedCallback, WrongPaste } from "./pasted_callback.ts";
import type { IssuerNetwork } from "./request.ts";
import type { RandomBytes } from "./state.ts";
import type { Tokens } from "./tokens.ts";

/** What every login needs from outside. */
export interface LoginOptions extends IssuerNetwork {
  /** Source of state and verifier (default: the system's). */
  readonly random?: RandomBytes;
}

/** What a login with the browser needs. */
export interface BrowserLoginOptions extends LoginOptions {
  /** Ports to listen on, in this order (default: those that the issuer takes). */
  readonly ports?: readonly number[];
}

/** A login that is under way. */
export interface PendingLogin {
  /** The page to open. */
  readonly url: string;
  /** The tokens; rejects with a `Failure`. When it settles, every port is free. */
  readonly result: Promise<Tokens>;
  /** Ends it; the result rejects. Harmless when it is over. */
  cancel(): void;
}

/**
 * Starts a login that ends when the browser returns to this machine.
 *
 * @throws {Failure} when no port can be had.
 */
export async function startBrowserLogin(options: BrowserLoginOptions): Promise<PendingLogin> {
  const { network, cancel } = cancellable(options);
  const secrets = newLoginSecrets(options.random);
  const server = await listenForCallback({
    ...network,
    ...(options.ports === undefined ? {} : { ports: options.ports }),
    state: secrets.state,
    complete: (code, redirectUri) =>
      exchangeCode({ ...network, code, redirectUri, verifier: secrets.verifier }),
  });
  const { redirectUri, result } = server;
  const url = await authorizationUrl({ issuer: options.issuer, redirectUri, secrets });
  return { url, result, cancel };
}

/**
 * The whole login with the browser.
 *
 * @param options.onUrl Shows the address; called before the browser opens.
 * @param options.open Opens it and says whether that worked; left out, the person opens it.
 * @param options.onOpened Is told what `open` said.
 * @throws {Failure} when it does not end with tokens.
 */
export async function loginWithBrowser(
  options: BrowserLoginOptions & {
    readonly onUrl: (url: string) => void;
    readonly open?: (url: string) => Promise<boolean>;
    readonly onOpened?: (opened: boolean) => void;
  },
): Promise<Tokens> {
  const login = await startBrowserLogin(options);
  options.onUrl(login.url);
  // Not awaited: a browser that stays in the foreground must not hold the login back.
  options.open?.(login.url).catch(() => false).then((opened) => options.onOpened?.(opened));
  return await login.result;
}

/** A login whose end a person copies from the browser's address bar. */
export interface PastedLogin {
  /** The page to open, on any machine. */
  readonly url: string;
  /**
   * Finishes it with what was pasted. After a `Failure` about the text itself
   * it may be called again.
   *
   * @throws {Failure} when the text is not this login's, or the exchange fails.
   */
  finish(text: string): Promise<Tokens>;
}

/**
 * Starts a login for which nothing listens: the browser ends at an address
 * that it cannot open, and the person pastes it.
 */
export async function startPastedLogin(options: LoginOptions): Promise<PastedLogin> {
  const secrets = newLoginSecrets(options.random);
  const redirectUri = callbackUrl(CALLBACK_PORTS[0] ?? 1455);
  return {
    url: await authorizationUrl({ issuer: options.issuer, redirectUri, secrets }),
    finish: async (text) => {
      const code = readPastedCallback(text, secrets.state);
      return await exchangeCode({ ...options, code, redirectUri, verifier: secrets.verifier });
    },
  };
}

/**
 * The whole login with a pasted callback.
 *
 * @param options.onUrl Shows the address.
 * @param options.ask Gives what the person pasted.
 * @param options.askAgain Is told why a text is not this login's end, and says whether to ask for
 * another (default: no).
 * @throws {Failure} when it does not end with tokens.
 */
export async function loginWithPastedCallback(
  options: LoginOptions & {
    readonly onUrl: (url: string) => void;
    readonly ask: () => Promise<string>;
    readonly askAgain?: (wrong: WrongPaste) => boolean;
  },
): Promise<Tokens> {
  const { signal } = options;
  const login = await startPastedLogin(options);
  options.onUrl(login.url);
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(cancelled());
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    while (true) {
      try {
        return await login.finish(await Promise.race([aborted.promise, options.ask()]));
      } catch (error) {
        if (!(error instanceof WrongPaste && options.askAgain?.(error))) throw error;
      }
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** A login that a person ends on another device. */
export interface DeviceLogin extends PendingLogin {
  /** What to enter on the page. */
  readonly userCode: string;
  /** When the code ends, epoch milliseconds. */
  readonly expiresAt: number;
}

/**
 * Starts a login with a device code.
 *
 * @throws {Failure} when the issuer cannot be reached or gives no code.
 */
export async function startDeviceLogin(options: LoginOptions): Promise<DeviceLogin> {
  const { network, cancel } = cancellable(options);
  const code = await requestDeviceCode(network);
  const result = waitForDevice(network, code);
  // Whoever started the login may look at its result later.
  result.catch(() => {});
  return { url: code.url, userCode: code.userCode, expiresAt: code.expiresAt, result, cancel };
}

/**
 * The whole login with a device code.
 *
 * @param options.onCode Shows page and code.
 * @throws {Failure} when it does not end with tokens.
 */
export async function loginWithDevice(
  options: LoginOptions & {
    readonly onCode: (code: Pick<DeviceLogin, "url" | "userCode" | "expiresAt">) => void;
  },
): Promise<Tokens> {
  const { url, userCode, expiresAt, result } = await startDeviceLogin(options);
  options.onCode({ url, userCode, expiresAt });
  return await result;
}

/** The same network, with an end of its own beside the caller's signal. */
function cancellable(options: LoginOptions): { network: IssuerNetwork; cancel: () => void } {
  const { issuer, fetch, clock, signal } = options;
  const own = new AbortController();
  const both = signal === undefined ? own.signal : AbortSignal.any([signal, own.signal]);
  return { network: { issuer, fetch, clock, signal: both }, cancel: () => own.abort() };
}
