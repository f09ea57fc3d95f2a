import type { AccountModel, DashboardModel } from "../model.ts";
import { accountAction, Post } from "./form.tsx";
import { Moment } from "./moment.tsx";
import { Bar, shade, spanName, whole } from "./window.tsx";

/** The answer to "what can I use now?", and what is next. */
export function Summary({ model }: { readonly model: DashboardModel }) {
  const { pool } = model;
  return (
    <section id="summary" aria-labelledby="answer">
      <div class="answer">
        <h1 id="answer">{answer(model)}</h1>
        {pool.nextBack && (
          <p class="next">
            {pool.available === 0 ? "First back: " : "Next back: "}
            <b>{pool.nextBack.alias}</b>, <Moment at={pool.nextBack.at} now={model.now} />
          </p>
        )}
        <Recommended model={model} />
      </div>
      {pool.left.length > 0 && (
        <div class="pool">
          {pool.left.map(({ minutes, percent }) => {
            const left = whole(percent);
            return (
              <div>
                <p class="figure">
                  <span>{spanName(minutes)}</span> <b class={shade(left)}>{left}% left</b>
                </p>
                <Bar left={left} />
              </div>
            );
          })}
          <p>Over all accounts that can be used now</p>
        </div>
      )}
    </section>
  );
}

/** The one line. */
function answer({ pool }: DashboardModel): string {
  if (pool.total === 0) return "No account yet";
  if (pool.available === 0) return "No account can be used now";
  if (pool.available === pool.total) {
    return pool.total === 1 ? "Your account is ready" : `All ${pool.total} accounts are ready`;
  }
  return `${pool.available} of ${pool.total} accounts ${pool.available === 1 ? "is" : "are"} ready`;
}

function Recommended({ model }: { readonly model: DashboardModel }) {
  const { recommended } = model;
  if (recommended === null) return null;
  const account = named(model.accounts, recommended.alias);
  return (
    <div class="recommended">
      <p>
        Best now: <b>{recommended.alias}</b>
        <span class="why">{recommended.reason}</span>
      </p>
      {account && !account.onDevice && (
        <Post to={accountAction(account.id, "device")}>
          <button type="submit" class="primary">Use {account.alias} on this device</button>
        </Post>
      )}
    </div>
  );
}

function named(accounts: readonly AccountModel[], alias: string): AccountModel | undefined {
  return accounts.find((account) => account.alias === alias);
}

/** Which account the Codex CLI uses here, and which one was pinned. */
export function Device({ model }: { readonly model: DashboardModel }) {
  const { device, pin } = model;
  return (
    <div id="device">
      <Post to="/sync" class="row">
        <p title={device.path}>{device.text}</p>
        <button type="submit" class="quiet">Sync</button>
      </Post>
      {pin && (
        <Post to="/unpin" class="row">
          <p>
            Pinned: <b>{pin.alias}</b> serves all it can
            {pin.until !== null && (
              <>
                , until <Moment at={pin.until} now={model.now} />
              </>
            )}
          </p>
          <button type="submit" class="quiet">Unpin {pin.alias}</button>
        </Post>
      )}
    </div>
  );
}

/** What the person should know, and what their last action did. */
export function Warnings({ warnings }: { readonly warnings: readonly string[] }) {
  return (
    <ul id="warnings" class="warnings">
      {warnings.map((text) => <li>{text}</li>)}
    </ul>
  );
}

/** Stands in a live region, so that it is read out when it changes. */
export function Notice({ notice }: { readonly notice: DashboardModel["notice"] }) {
  return <p id="notice" class={notice?.kind ?? "none"}>{notice?.text}</p>;
}
