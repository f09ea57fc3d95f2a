import { type AccountModel, cardId, type WindowModel } from "../model.ts";
import { AccountBody } from "./account_body.tsx";
import { accountAction, Post } from "./form.tsx";
import { Age, hasEnd, Moment } from "./moment.tsx";
import { Window } from "./window.tsx";

/** The bucket of the plan itself; other buckets are of single models. */
const PLAN_BUCKET = "codex";
/** Minutes of a day: windows up to it stand on the left, longer ones on the right. */
const DAY = 1_440;

/** One account: what it is, what is left of it, and what can be done with it. */
export function Account({ account, now }: {
  readonly account: AccountModel;
  /** Epoch milliseconds. */
  readonly now: number;
}) {
  const { alias, state } = account;
  const { short, long, others } = placed(account.windows);
  return (
    <article
      id={cardId(account.id)}
      class={`account ${state.replace(" ", "-")}`}
      data-account={alias}
    >
      <div class="who">
        <h3>{alias}</h3>
        <p class="marks">
          <State account={account} now={now} />
          {account.recommended && <span class="mark best">Recommended</span>}
          {account.serving && <span class="mark">Serving</span>}
          {account.pinned && <span class="mark">Pinned</span>}
          {account.tags.map((tag) => <span class="mark tag">{tag}</span>)}
        </p>
        <p>{[account.email, account.plan].filter(Boolean).join(" · ")}</p>
        <Seen account={account} now={now} />
      </div>
      {short || long
        ? (
          <>
            <Cell window={short} now={now} />
            <Cell window={long} now={now} />
          </>
        )
        : <p class="unknown">No figures yet</p>}
      <div class="do">
        <OnDevice account={account} />
        <Mend account={account} />
      </div>
      <details>
        <summary>
          Details<span class="vh">of {alias}</span>
        </summary>
        <AccountBody account={account} others={others} now={now} />
      </details>
    </article>
  );
}

/** `12 uses · seen 7:40 PM · token ends Nov 27, 6:00 PM`. */
function Seen({ account, now }: { readonly account: AccountModel; readonly now: number }) {
  return (
    <p>
      {account.uses === 1 ? "1 use" : `${account.uses} uses`}
      {account.lastUsedAt !== null && (
        <>
          {" · seen "}
          <Age at={account.lastUsedAt} now={now} />
        </>
      )}
      {hasEnd(account.tokenExpiresAt) && (
        <>
          {account.tokenExpired ? " · token ended " : " · token ends "}
          <Age at={account.tokenExpiresAt} now={now} />
        </>
      )}
    </p>
  );
}

/** What it is doing, in words; the sign before them is for the eye. */
function State({ account, now }: { readonly account: AccountModel; readonly now: number }) {
  const { state, reason, blockedUntil } = account;
  const why = reason !== null && reason !== state ? `: ${reason}` : "";
  return (
    <span class="state">
      {state}
      {why}
      {state === "blocked" && hasEnd(blockedUntil) && (
        <>
          , back <Moment at={blockedUntil} now={now} />
        </>
      )}
    </span>
  );
}

function Cell({ window, now }: { readonly window: WindowModel | undefined; readonly now: number }) {
  return window ? <Window window={window} now={now} /> : <div class="window absent"></div>;
}

/** Makes it the Codex CLI's account; one that is signed out would sign the Codex CLI out. */
function OnDevice({ account }: { readonly account: AccountModel }) {
  if (account.onDevice) {
    return <button type="submit" class="current" disabled>On device</button>;
  }
  if (account.state === "needs login" || account.state === "set aside") return null;
  return (
    <Post to={accountAction(account.id, "device")}>
      <button type="submit">Use on device</button>
    </Post>
  );
}

/** The one thing that brings an account back which needs the person. */
function Mend({ account }: { readonly account: AccountModel }) {
  switch (account.state) {
    case "needs login":
      return (
        <Post to={accountAction(account.id, "sign-in")}>
          <button type="submit" name="way" value="browser">Sign in again</button>
        </Post>
      );
    case "set aside":
      return (
        <Post to={accountAction(account.id, "restore")}>
          <button type="submit">Try again</button>
        </Post>
      );
    case "disabled":
      return (
        <Post to={accountAction(account.id, "enable")}>
          <button type="submit">Enable</button>
        </Post>
      );
    default:
      return null;
  }
}

/** Which window stands in which column. */
function placed(windows: readonly WindowModel[]): {
  short: WindowModel | undefined;
  long: WindowModel | undefined;
  others: WindowModel[];
} {
  const plan = windows.filter(({ bucket }) => bucket === PLAN_BUCKET);
  const short = plan.find(({ minutes }) => minutes <= DAY);
  const long = plan.findLast(({ minutes }) => minutes > DAY);
  return { short, long, others: windows.filter((window) => window !== short && window !== long) };
}
