import { LENGTHS } from "../action.ts";
import type { AccountModel, WindowModel } from "../model.ts";
import { accountAction, Post } from "./form.tsx";
import { Age, hasEnd, Moment } from "./moment.tsx";
import { spanName, Window } from "./window.tsx";

/** For how long an account can be pinned from the page. */
const PINS = [["1h", "1 hour"], ["5h", "5 hours"], ["1d", "1 day"], [
  "",
  "until unpinned",
]] as const;

/** The rest about an account: facts, tags and notes, and all that can be done. */
export function AccountBody({ account, others, now }: {
  readonly account: AccountModel;
  /** Windows that have no place of their own. */
  readonly others: readonly WindowModel[];
  /** Epoch milliseconds. */
  readonly now: number;
}) {
  const to = (action: string) => accountAction(account.id, action);
  return (
    <div class="body">
      <Troubles account={account} now={now} />
      {others.length > 0 && (
        <div class="others">
          {others.map((window) => <Window window={window} now={now} name={nameOf(window)} />)}
        </div>
      )}
      <Facts account={account} now={now} />
      <Post to={to("describe")} class="fields">
        <label>
          Tags
          <input
            name="tags"
            dir="auto"
            value={account.tags.join(", ")}
            maxlength={LENGTHS.tags}
            placeholder="work, eu"
          />
        </label>
        <label class="wide">
          Notes
          <textarea name="notes" dir="auto" rows={2} maxlength={LENGTHS.notes}>
            {account.notes}
          </textarea>
        </label>
        <button type="submit">Save</button>
      </Post>
      <div class="forms">
        <Post to={to("limits")} class="row">
          <button type="submit">Refresh limits</button>
          <button type="submit" formaction={to("token")}>Refresh token</button>
          {account.state !== "disabled" && (
            <button type="submit" formaction={to("disable")}>Disable</button>
          )}
        </Post>
        <Post to={to("pin")} class="row">
          {account.pinned ? <button type="submit" formaction="/unpin">Unpin</button> : (
            <>
              <label>
                Pin for
                <select name="for">
                  {PINS.map(([span, text]) => <option value={span}>{text}</option>)}
                </select>
              </label>
              <button type="submit">Pin</button>
            </>
          )}
        </Post>
        <Post to={to("rename")} class="row">
          <label>
            Alias
            <input name="alias" value={account.alias} required maxlength={64} />
          </label>
          <button type="submit">Rename</button>
        </Post>
        <Post to={to("sign-in")} class="row">
          <label>
            Sign in
            <Ways />
          </label>
          <button type="submit">Sign in again</button>
        </Post>
        <details class="remove">
          <summary>Remove…</summary>
          <Post to={to("remove")}>
            <p>This machine forgets the account, its tokens and its figures.</p>
            <button type="submit" class="danger" name="confirm" value="yes">
              Remove {account.alias}
            </button>
          </Post>
        </details>
      </div>
    </div>
  );
}

function nameOf({ bucket, minutes }: WindowModel): string {
  return bucket === "codex" ? spanName(minutes) : `${bucket}, ${spanName(minutes)}`;
}

/** The ways to sign in, as a choice. */
export function Ways() {
  return (
    <select name="way">
      <option value="browser">in this browser</option>
      <option value="device">with a code, on another device</option>
      <option value="paste">by pasting the address</option>
    </select>
  );
}

/** What went wrong, and which models it cannot serve. */
function Troubles({ account, now }: { readonly account: AccountModel; readonly now: number }) {
  const errors = [account.limitTask?.error, account.tokenTask?.error].filter((text) => text);
  return (
    <>
      {errors.map((text) => <p class="trouble">{text}</p>)}
      {account.blockedModels.map(({ model, reason, until }) => (
        <p class="trouble">
          Not for {model}: {reason}
          {hasEnd(until) && (
            <>
              , back <Moment at={until} now={now} />
            </>
          )}
        </p>
      ))}
    </>
  );
}

function Facts({ account, now }: { readonly account: AccountModel; readonly now: number }) {
  const { tokenExpiresAt, refreshedAt, lastUsedAt, sessions, resetCredits, workspace } = account;
  return (
    <dl class="facts">
      <div>
        <dt>Token expires</dt>
        <dd>
          {hasEnd(tokenExpiresAt) ? <Moment at={tokenExpiresAt} now={now} /> : "never"}
        </dd>
      </div>
      <div>
        <dt>Token renewed</dt>
        <dd>{hasEnd(refreshedAt) ? <Age at={refreshedAt} now={now} /> : "not yet"}</dd>
      </div>
      <div>
        <dt>Last seen</dt>
        <dd>{hasEnd(lastUsedAt) ? <Age at={lastUsedAt} now={now} /> : "not yet"}</dd>
      </div>
      <div>
        <dt>Conversations, last hour</dt>
        <dd>{sessions}</dd>
      </div>
      {workspace !== null && (
        <div>
          <dt>Workspace</dt>
          <dd>{workspace}</dd>
        </div>
      )}
      {resetCredits !== null && (
        <div>
          <dt>Reset credits</dt>
          <dd>{resetCredits}</dd>
        </div>
      )}
    </dl>
  );
}
