import { isLoopback, resolveEndpoints } from "../platform/endpoints.ts";
import { messageOf, notPermitted } from "../platform/failure.ts";
import { redact } from "../platform/redaction.ts";
import { connectFailure } from "../oauth/connect_failure.ts";
import { type Check, type Finding, type Look, ok, warning } from "./check.ts";
import type { Surroundings } from "./surroundings.ts";

/** What a server said to a question without any token. */
export type Reached =
  | {
    readonly kind: "answered";
    readonly status: number;
    /** Milliseconds until it answered. */
    readonly ms: number;
    /** Its clock, epoch milliseconds, as far as it told, and ours at that moment. */
    readonly date?: { readonly theirs: number; readonly ours: number };
  }
  | { readonly kind: "failed"; readonly cause: string };

/** The two servers, each asked once at most. */
export interface Servers {
  readonly issuer: () => Promise<Reached>;
  readonly backend: () => Promise<Reached>;
}

const LIMIT_MS = 6_000;

/** Asks the two servers' front doors, without any token, when somebody first wants to know. */
export function servers({ env, fetch, clock }: Surroundings): Servers {
  const ask = async (which: "issuer" | "backend"): Promise<Reached> => {
    const url = `${new URL(resolveEndpoints(env)[which]).origin}/`;
    const ended = new AbortController();
    const start = clock.now();
    let cancel = () => {};
    const late = new Promise<Reached>((resolve) => {
      cancel = clock.after(LIMIT_MS, () => {
        ended.abort();
        resolve({ kind: "failed", cause: `no answer within ${LIMIT_MS / 1_000} s` });
      });
    });
    const answer = fetch(url, { method: "HEAD", redirect: "manual", signal: ended.signal }).then(
      async (response): Promise<Reached> => {
        await response.body?.cancel();
        const ours = clock.now();
        const theirs = Date.parse(response.headers.get("date") ?? "");
        const date = Number.isNaN(theirs) ? {} : { date: { theirs, ours } };
        return { kind: "answered", status: response.status, ms: ours - start, ...date };
      },
      (error): Reached => {
        if (notPermitted(error)) throw error;
        return { kind: "failed", cause: connectFailure(error) ?? redact(messageOf(error)) };
      },
    );
    try {
      return await Promise.race([answer, late]);
    } finally {
      cancel();
    }
  };
  let issuer: Promise<Reached> | undefined;
  let backend: Promise<Reached> | undefined;
  return {
    issuer: () => issuer ??= ask("issuer"),
    backend: () => backend ??= ask("backend"),
  };
}

/** Whether the issuer and the backend can be reached. */
export function networkChecks(
  { env }: Surroundings,
  { issuer, backend }: Servers,
): readonly Check[] {
  const check = (which: "issuer" | "backend", ask: () => Promise<Reached>): Check => ({
    group: "Network",
    name: which,
    async look(): Promise<Look> {
      const url = resolveEndpoints(env)[which];
      return { findings: [reached(which, url, await ask())] };
    },
  });
  return [check("issuer", issuer), check("backend", backend)];
}

function reached(name: string, url: string, answer: Reached): Finding {
  const { host, hostname } = new URL(url);
  if (answer.kind === "answered") return ok(name, `${host} answers (in ${answer.ms} ms).`);
  const fix = isLoopback(hostname)
    ? "Start what listens there, or unset the variable that names it."
    : "Look at the network, a proxy (HTTPS_PROXY) and the firewall.";
  return warning(name, `${host} cannot be reached (${answer.cause}).`, fix);
}
