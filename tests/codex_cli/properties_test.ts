import assert from "node:assert/strict";
import fc from "fast-check";
import { sharedTokens } from "../../src/codex_cli/shared_tokens.ts";
import { createRefresher } from "../../src/oauth/refresh_transaction.ts";
import { silentLog } from "../../src/platform/log.ts";
import type { Holder } from "../simulator/jwt.ts";
import { accountOf, authJson, ISSUER, onDevice, person } from "./device_folder.ts";

/** Four seats: two members of one workspace, and one person in two workspaces with one email. */
const PEOPLE: readonly Holder[] = [
  person("anna", { workspaceId: "team" }),
  person("bert", { workspaceId: "team" }),
  person("bert", { workspaceId: "own", accountUserId: "bert-own" }),
  person("cleo"),
];

const who = fc.nat({ max: PEOPLE.length - 1 });
const step = fc.oneof(
  fc.record({ kind: fc.constant("codex signs in" as const), who }),
  fc.record({ kind: fc.constant("codex renews" as const) }),
  fc.record({ kind: fc.constant("a backup is restored" as const), back: fc.nat({ max: 5 }) }),
  fc.record({ kind: fc.constant("sync" as const) }),
  fc.record({ kind: fc.constant("sync by hand" as const) }),
  fc.record({ kind: fc.constant("remove" as const), who }),
  fc.record({ kind: fc.constant("we renew" as const), who }),
  fc.record({ kind: fc.constant("we die after saving" as const), who }),
  fc.record({ kind: fc.constant("switch" as const), who }),
);

const keyOf = (holder: Holder) => `${holder.workspaceId}/${holder.accountUserId}`;

Deno.test("over any history of both programs no two identities are merged, nobody removed comes back, and no spent token is sent", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 14 }),
      (steps) =>
        onDevice(async (at) => {
          const { clock } = at.folder;
          const lock = () => Promise.resolve(undefined);
          const device = at.device({ lock });
          // What the issuer knows: which tokens it gave to whom, and which are spent.
          const owners = new Map<string, string>();
          const spent = new Set<string>();
          let round = 0;
          const issue = (holder: Holder) => {
            const json = authJson(holder, ++round);
            owners.set(json.tokens.refresh_token, keyOf(holder));
            return json;
          };
          const holderAt = (token: string) =>
            PEOPLE.find((one) => keyOf(one) === owners.get(token))!;
          const removed = new Set<string>();
          const written: string[] = [];
          const write = (json: unknown) => {
            written.push(JSON.stringify(json));
            at.write(json);
          };
          const inFile = (): string | undefined => {
            try {
              return at.read().tokens.refresh_token;
            } catch {
              return undefined;
            }
          };
          const stored = async (holder: Holder) =>
            (await at.store.load()).accounts.find(({ identity }) =>
              `${identity?.workspaceId}/${identity?.memberId}` === keyOf(holder)
            );
          const shared = sharedTokens({
            store: at.store,
            env: at.env,
            issuer: ISSUER,
            clock,
            random: () => 0.5,
            log: silentLog,
            lock,
          });
          const renewing = (renewed: boolean) =>
            createRefresher({
              store: at.store,
              clock,
              random: () => 0.5,
              gapMs: () => 0,
              log: silentLog,
              adopt: (account) => shared.adopt(account),
              ...(renewed ? { renewed: (account) => shared.give(account) } : {}),
              exchange: ({ credentials: { refreshToken } }) => {
                assert.ok(!spent.has(refreshToken), `${refreshToken} was sent twice`);
                spent.add(refreshToken);
                const holder = holderAt(refreshToken);
                issue(holder);
                return Promise.resolve({
                  kind: "renewed",
                  credentials: accountOf(holder, round).credentials,
                });
              },
            });

          for (const one of steps) {
            switch (one.kind) {
              case "codex signs in":
                write(issue(PEOPLE[one.who]!));
                break;
              case "codex renews": {
                const token = inFile();
                // A Codex with a spent token gets an error and leaves the file as it is.
                if (token === undefined || spent.has(token)) break;
                spent.add(token);
                write(issue(holderAt(token)));
                break;
              }
              case "a backup is restored": {
                const text = written.at(-1 - one.back);
                if (text !== undefined) at.write(text);
                break;
              }
              case "sync":
                await clock.passUntil(device.sync());
                break;
              case "sync by hand": {
                const token = inFile();
                const known = token && await stored(holderAt(token));
                const outcome = await clock.passUntil(device.sync({ alias: `named-${++round}` }));
                if (outcome.kind === "added" && !known) removed.delete(owners.get(token!)!);
                break;
              }
              case "remove": {
                const account = await stored(PEOPLE[one.who]!);
                if (!account) break;
                await at.store.remove(account.id);
                removed.add(keyOf(PEOPLE[one.who]!));
                break;
              }
              case "we renew":
              case "we die after saving": {
                const account = await stored(PEOPLE[one.who]!);
                // A spent token of ours is what a Codex leaves that we have not looked at.
                if (!account || spent.has(account.credentials.refreshToken)) break;
                const refresher = renewing(one.kind === "we renew");
                const outcome = await clock.passUntil(refresher.refresh(account, true));
                assert.equal(outcome.kind, "fresh");
                break;
              }
              case "switch": {
                const account = await stored(PEOPLE[one.who]!);
                if (!account) break;
                await clock.passUntil(device.switchTo(account, { overwrite: true }));
                const now = await stored(PEOPLE[one.who]!);
                assert.equal(inFile(), now?.credentials.refreshToken);
                break;
              }
            }
            const { accounts } = await at.store.load();
            const seats = accounts.map(({ identity }) =>
              `${identity?.workspaceId}/${identity?.memberId}`
            );
            assert.equal(new Set(seats).size, seats.length, "one seat, one account");
            for (const { identity, credentials } of accounts) {
              const seat = `${identity?.workspaceId}/${identity?.memberId}`;
              assert.equal(owners.get(credentials.refreshToken), seat, "tokens of somebody else");
              assert.ok(!removed.has(seat), `${seat} came back by itself`);
            }
          }
        }),
    ),
    { numRuns: Number(Deno.env.get("PROPERTY_RUNS") ?? 40) },
  ));
