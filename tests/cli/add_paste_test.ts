import assert from "node:assert/strict";
import type { Context } from "../../src/cli/context.ts";
import { accounts, assertRefused, withPasteScene } from "./add_scene.ts";

/** Signs in elsewhere and gives the address at which that browser ends. */
async function signInElsewhere(url: string): Promise<string> {
  const response = await fetch(url, { redirect: "manual" });
  await response.body?.cancel();
  return response.headers.get("location") ?? "";
}

function pasting(edit: (address: string) => string): Partial<Context> {
  let url = "";
  return {
    // The issuer takes 1455, to which a pasted login returns without anybody listening there.
    write: (text) => void (url ||= text.match(/^http\S+$/m)?.[0] ?? ""),
    readLine: async () => edit(await signInElsewhere(url)),
    openBrowser: () => Promise.reject(new Error("must not be opened")),
  };
}

Deno.test("add --no-browser stores the account of a pasted address", () =>
  withPasteScene(async ({ session, add }) => {
    const ran = await add(["personal", "--no-browser"], pasting((address) => `  ${address}  `));
    assert.equal(ran.code, 0, ran.err);
    assert.equal((await accounts(session))[0]?.["email"], "you@personal.example");
  }));

const BAD_PASTES: readonly (readonly [string, (address: string) => string, RegExp])[] = [
  [
    "another login's address",
    (address) => address.replace(/state=\w+/, "state=0123"),
    /another login/,
  ],
  [
    "an address without its state",
    (address) => address.replace(/&state=\w+/, ""),
    /state is missing/,
  ],
  ["something else", () => "hello", /Copy the whole address/],
  ["nothing", () => "", /No address was pasted/],
];

for (const [name, edit, text] of BAD_PASTES) {
  Deno.test(`${name} pasted gives one line and changes nothing`, () =>
    withPasteScene(async ({ session, add }) => {
      assertRefused(await add(["personal", "--no-browser"], pasting(edit)), text);
      assert.deepEqual(session.files(), {});
    }));
}

/** A person at a terminal who pastes these texts, one after the other; the edits get the right one. */
function pastingByHand(
  edits: readonly ((address: string) => string)[],
): Partial<Context> & { readonly said: string[] } {
  const said: string[] = [];
  let url = "";
  let asked = 0;
  let address: Promise<string> | undefined;
  return {
    said,
    terminal: { input: true, output: true },
    write: (text) => {
      said.push(text);
      url ||= text.match(/^http\S+$/m)?.[0] ?? "";
    },
    prompts: () =>
      Promise.resolve({
        confirm: () => Promise.reject(new Error("not asked")),
        secret: () => Promise.reject(new Error("not asked")),
        text: async () => {
          const edit = edits[asked++];
          assert.ok(edit, "asked too often");
          return edit(await (address ??= signInElsewhere(url)));
        },
      }),
  };
}

Deno.test("on a terminal a wrong paste may be put right", () =>
  withPasteScene(async ({ session, add }) => {
    const person = pastingByHand([() => "hello", () => "", (address) => address]);
    const ran = await add(["personal", "--no-browser"], person);
    assert.equal(ran.code, 0, ran.err);
    const reasons = person.said.filter((text) => text.includes("Copy the whole address from"));
    assert.equal(reasons.length, 2);
    assert.equal((await accounts(session)).length, 1);
  }));

Deno.test("on a terminal the fourth wrong paste ends the login in one line", () =>
  withPasteScene(async ({ session, add }) => {
    const hello = () => "hello";
    const ran = await add(
      ["personal", "--no-browser"],
      pastingByHand([hello, hello, hello, hello]),
    );
    assertRefused(ran, /Copy the whole address/);
    assert.deepEqual(session.files(), {});
  }));

Deno.test("a refusal that was pasted ends the login at once, on a terminal too", () =>
  withPasteScene(async ({ session, add }) => {
    const denied = (address: string) => address.replace(/code=[^&]+/, "error=access_denied");
    assertRefused(await add(["personal", "--no-browser"], pastingByHand([denied])), /refused/);
    assert.deepEqual(session.files(), {});
  }));
