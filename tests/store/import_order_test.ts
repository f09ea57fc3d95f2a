import assert from "node:assert/strict";
import type { Account } from "../../src/account/account.ts";
import { compareTokens, sameSeat } from "../../src/store/import_order.ts";
import { testAccount, testCredentials } from "./store_folder.ts";

const IDENTITY = { workspaceId: "w", memberId: "m", userId: "u" };
const bare = (fields: Partial<Account>, ours = true) => {
  const { identity: _i, email: _e, ...rest } = testAccount("a");
  return { account: { ...rest, ...fields }, ours };
};
const tokens = (name: string) => ({ credentials: testCredentials(name, 1) });

for (
  const [name, a, b, same] of [
    ["the same member", { identity: IDENTITY }, { identity: IDENTITY }, true],
    ["two members of one workspace", { identity: IDENTITY }, {
      identity: { ...IDENTITY, memberId: "n" },
    }, false],
    ["one member, two workspaces, one email", { identity: IDENTITY, email: "e" }, {
      identity: { ...IDENTITY, workspaceId: "v" },
      email: "e",
    }, false],
    [
      "an unnamed member with the same email in the workspace",
      {
        identity: IDENTITY,
        email: "e",
      },
      { identity: { workspaceId: "w" }, email: "e" },
      true,
    ],
    ["an unnamed member with another email", { identity: IDENTITY, email: "e" }, {
      identity: { workspaceId: "w" },
      email: "f",
    }, false],
    ["an unnamed member without an email", { identity: IDENTITY }, {
      identity: { workspaceId: "w" },
    }, false],
    ["one id and nothing else", {}, {}, false],
    ["one id, given at one moment", { addedAt: 5 }, { addedAt: 5 }, true],
    ["one id, given at two moments", { addedAt: 5 }, { addedAt: 6 }, false],
    ["one email and no workspace", { email: "e" }, { email: "e" }, false],
  ] as const
) {
  Deno.test(`one seat or two: ${name}`, () => {
    const [one, other] = [bare({ ...tokens("x"), ...a }), bare({ ...tokens("y"), ...b })];
    assert.equal(sameSeat(one, other), same);
    assert.equal(sameSeat(other, one), same);
  });
}

const jwt = (claims: unknown) => `e30.${btoa(JSON.stringify(claims))}.x`;
const issued = (iat: number) => ({
  credentials: { ...testCredentials("j", iat), accessToken: jwt({ iat }) },
});

for (
  const [name, older, newer] of [
    [
      "the issuer's stamp, whatever the generations say",
      bare({ ...issued(1), generation: 9 }),
      bare({
        ...issued(2),
        generation: 1,
      }),
    ],
    [
      "the generation of one id",
      bare({ ...tokens("x"), generation: 1 }),
      bare({
        ...tokens("y"),
        generation: 2,
      }),
    ],
    [
      "the end of the token, where the ids are not ours",
      bare({
        credentials: { ...testCredentials("x", 1), expiresAt: 1 },
        generation: 9,
      }, false),
      bare({ credentials: { ...testCredentials("y", 1), expiresAt: 2 } }, false),
    ],
    [
      "the last refresh, where nothing else differs",
      bare({ refreshedAt: 1 }),
      bare({
        refreshedAt: 2,
      }),
    ],
  ] as const
) {
  Deno.test(`tokens are newer by ${name}`, () => {
    assert.ok(compareTokens(older, newer) > 0);
    assert.ok(compareTokens(newer, older) < 0);
    assert.equal(compareTokens(older, older), 0);
  });
}
