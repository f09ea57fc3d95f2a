import type { AccountModel, DashboardModel } from "../model.ts";
import { Age } from "./moment.tsx";

/** Who serves now, and why the last choices fell as they did. */
export function Serving({ model }: { readonly model: DashboardModel }) {
  const busy = model.accounts.filter(({ sessions }) => sessions > 0)
    .toSorted((a, b) => b.sessions - a.sessions);
  return (
    <section id="serving" aria-labelledby="serving-title">
      <h2 id="serving-title">Serving now</h2>
      {busy.length === 0 ? <p>No conversation within the last hour.</p> : (
        <p>
          {busy.slice(0, SHOWN).map((account, index) => (
            <>
              {index > 0 && ", "}
              <b>{account.alias}</b> {conversations(account)}
            </>
          ))}
          {busy.length > SHOWN && `, and ${busy.length - SHOWN} more accounts`}
        </p>
      )}
      {model.choices.length > 0 && (
        <div class="scroll" tabindex={0} role="region" aria-label="Last choices">
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Account</th>
                <th scope="col">Why</th>
                <th scope="col">Conversation</th>
              </tr>
            </thead>
            <tbody>
              {model.choices.map(({ at, session, alias, reason, left }) => (
                <tr>
                  <td>
                    <Age at={at} now={model.now} />
                  </td>
                  <td>{alias}</td>
                  <td>{left === null ? reason : `${reason}, leaves ${left}`}</td>
                  <td class="id" title={session ?? ""}>{session ?? "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** Accounts that are named before the rest is counted. */
const SHOWN = 8;

function conversations({ sessions }: AccountModel): string {
  return sessions === 1 ? "1 conversation" : `${sessions} conversations`;
}
