import { ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { readPastedCallback } from "../../src/oauth/pasted_callback.ts";
import { Failure } from "../../src/platform/failure.ts";
import urls from "../fixtures/oauth/authorize-urls.json" with { type: "json" };

const { callbacks } = urls;
const STATE = "8f14e45fceea167a5a36dedd4bea2543";
const read = (text: string) => readPastedCallback(text, STATE);

function failsWith(text: string, pattern: RegExp): void {
  throws(() => read(text), (error) => {
    ok(error instanceof Failure);
    ok(pattern.test(error.message), error.message);
    ok(!error.message.includes("ac_fixture_code") && !error.message.includes(STATE));
    return true;
  });
}

Deno.test("a pasted address, its query, and code#state all give the code", () => {
  for (
    const text of [
      callbacks.good,
      callbacks.pasted_query_only,
      callbacks.pasted_code_hash_state,
      callbacks.pasted_query_only.slice(1),
      callbacks.good.replace("http://", ""),
      `${callbacks.good}#`,
    ]
  ) equal(read(text), "ac_fixture_code");
});

Deno.test("white space, quotes and the line breaks of a terminal do no harm", () => {
  for (const text of [callbacks.good, callbacks.pasted_code_hash_state]) {
    equal(read(`  ${text} \r\n`), "ac_fixture_code");
    equal(read(`"${text}"`), "ac_fixture_code");
    equal(read(`<${text}>`), "ac_fixture_code");
    for (const at of [5, 20, 30]) {
      equal(read(`${text.slice(0, at)}\n  ${text.slice(at)}`), "ac_fixture_code");
    }
  }
});

Deno.test("a pasted callback without a state, or with another one, is refused", () => {
  failsWith(callbacks.no_state, /state is missing/);
  failsWith("ac_fixture_code", /state is missing/);
  failsWith("ac_fixture_code#", /state is missing/);
  failsWith("", /state is missing/);
  failsWith(callbacks.wrong_state, /another login/);
  failsWith(`ac_fixture_code#${STATE.toUpperCase()}`, /another login/);
  failsWith(`ac_fixture_code#${STATE}#${STATE}`, /state is missing/);
  failsWith(`?code=ac_fixture_code&state=${STATE}&state=${STATE}`, /state is missing/);
});

Deno.test("a pasted callback without a code says so", () => {
  failsWith(`http://localhost:1455/auth/callback?state=${STATE}`, /no sign-in code/);
  failsWith(`#${STATE}`, /no sign-in code/);
});

Deno.test("a pasted refusal is named in the issuer's words, made harmless", () => {
  failsWith(callbacks.denied, /^The sign-in was refused \(access_denied: The user refused\)\. /);
  failsWith(
    `?error=server_error&error_description=%1b%5b31mred%0d%0asecond&state=${STATE}`,
    // deno-lint-ignore no-control-regex
    /^(?!.*[\x00-\x1f\x7f]).*sign-in failed \(server_error: /,
  );
  failsWith(`?error=x_y&state=${STATE}`, /^The sign-in failed \(x_y\)\. /);
});

Deno.test("a refusal without our state is not believed", () => {
  failsWith("?error=access_denied&state=0000", /another login/);
});

Deno.test("any other text is refused with one line, never believed", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true })), (text) => {
    throws(() => read(text), (error) => error instanceof Failure && !/[\r\n]/.test(error.message));
  }));
});
