import { sleep } from "../platform/clock.ts";
import { errorCode, messageOf } from "../platform/failure.ts";
import { isLoopback } from "../platform/endpoints.ts";
import type { Availability, Channel, Machine } from "./channel.ts";
import { headerText } from "./header_text.ts";
import type { Notification } from "./notification.ts";

/** How long one try may take, in milliseconds. */
const TRY_MS = 10_000;
/** How long after a failure the one other try comes, in milliseconds. */
const AGAIN_MS = 1_500;

/**
 * An ntfy server: one POST to the topic.
 *
 * @param url The topic; empty for none.
 * @param token The access token, if the topic wants one.
 */
export function ntfy(machine: Machine, url: string, token: string | undefined): Channel {
  return {
    name: "ntfy",
    availability: () => availability(url, token),
    async send(notification, link) {
      const first = await attempt(machine, url, token, notification, link);
      if (first === undefined) return;
      if (!first.again || machine.signal?.aborted) throw new Error(first.why);
      // Where OpenCode ends, the other try comes at once.
      await sleep(machine.clock, AGAIN_MS, machine.hurry).catch(() => {});
      const second = await attempt(machine, url, token, notification, link);
      if (second !== undefined) throw new Error(`${second.why} (tried twice)`);
    },
  };
}

function availability(url: string, token: string | undefined): Availability {
  const parsed = URL.parse(url);
  if (!parsed) return { there: false, why: "no topic is set: config set notifyNtfyUrl https://…" };
  if (parsed.pathname === "/") {
    return { there: false, why: `the address names no topic: ${parsed.origin}/<topic> is one` };
  }
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    return { there: false, why: "OPENCODE_MULTI_AUTH_NOTIFY_NTFY_TOKEN cannot be a token" };
  }
  const open = parsed.protocol === "http:" && !isLoopback(parsed.hostname);
  const how = token === undefined
    ? ""
    : open
    ? ", its token goes there unencrypted"
    : ", with a token";
  return { there: true, how: `${parsed.host}${how}` };
}

/** One try. Undefined when the message is there, else what went wrong and whether another try may help. */
async function attempt(
  machine: Machine,
  url: string,
  token: string | undefined,
  notification: Notification,
  link: string | undefined,
): Promise<{ why: string; again: boolean } | undefined> {
  const limit = new AbortController();
  const cancel = machine.clock.after(TRY_MS, () => limit.abort(), { background: true });
  const signals = machine.signal ? [limit.signal, machine.signal] : [limit.signal];
  try {
    const response = await machine.fetch(url, {
      method: "POST",
      headers: headers(notification, link, token),
      body: notification.body,
      // A redirect would turn the POST into a GET, and might carry the text elsewhere.
      redirect: "manual",
      signal: AbortSignal.any(signals),
    });
    await response.body?.cancel();
    if (response.ok) return undefined;
    const { status } = response;
    const hint = status === 401 || status === 403 ? ": it wants another access token" : "";
    return { why: `the server answered ${status}${hint}`, again: status === 429 || status >= 500 };
  } catch (error) {
    if (limit.signal.aborted) return { why: `no answer within ${TRY_MS / 1_000} s`, again: true };
    const code = errorCode(error);
    // The runtimes' own words may hold the address, and with it the topic.
    const why = code ?? messageOf(error).replaceAll(url, "the topic");
    return { why: `the server cannot be reached (${why})`, again: true };
  } finally {
    cancel();
  }
}

function headers(
  { title, priority, tags }: Notification,
  link: string | undefined,
  token: string | undefined,
): Record<string, string> {
  return {
    "content-type": "text/plain; charset=utf-8",
    title: headerText(title),
    priority: String(priority),
    ...(tags.length === 0 ? {} : { tags: headerText(tags.join(",")) }),
    ...(link === undefined ? {} : { click: link }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
}
