import { checkAlias, printable } from "../account/alias.ts";
import { Failure } from "../platform/failure.ts";
import { checkWritable } from "../store/writable.ts";
import type { Store } from "../store/store.ts";
import { accountWith } from "./account_actions.ts";
import { type Action, type ActionRequest, LENGTHS } from "./action.ts";
import { type Logins, type Way, WAYS } from "./logins.ts";

/** Signing accounts in. */
export function loginActions({ store, logins, folder }: {
  readonly store: Store;
  readonly logins: Logins;
  /** The store folder: tokens exist once, so it must be known before that they can be kept. */
  readonly folder: string;
}): Action[] {
  const start = async (alias: string, request: ActionRequest) => {
    const way = wayOf(request);
    checkWritable(folder);
    await logins.start(alias, way);
    return way === "device"
      ? `Enter the code to sign "${printable(alias)}" in.`
      : `Open the sign-in page for "${printable(alias)}".`;
  };
  return [
    {
      path: "/logins",
      fields: { alias: LENGTHS.alias, way: LENGTHS.word },
      async run(request) {
        const alias = request.text("alias").trim();
        const { accounts } = await store.load();
        // An alias of an older store may break today's rule and stays as it is.
        if (!accounts.some((account) => account.alias === alias)) checkAlias(alias);
        return await start(alias, request);
      },
    },
    {
      path: "/accounts/:id/sign-in",
      fields: { way: LENGTHS.word },
      async run(request) {
        return await start(accountWith(await store.load(), request.accountId).alias, request);
      },
    },
    {
      path: "/logins/paste",
      fields: { address: LENGTHS.address },
      async run({ text }) {
        await logins.paste(text("address"));
        return logins.model?.message ?? "Signed in.";
      },
    },
    {
      path: "/logins/cancel",
      fields: {},
      run() {
        const waited = logins.model?.state === "waiting";
        logins.cancel();
        return waited ? "The login was cancelled; nothing was changed." : "Done.";
      },
    },
  ];
}

function wayOf({ text }: ActionRequest): Way {
  const asked = text("way") || "browser";
  const way = WAYS.find((way) => way === asked);
  if (way) return way;
  throw new Failure(
    `There is no way "${printable(asked)}" to sign in.`,
    `Ways: ${WAYS.join(", ")}.`,
  );
}
