import type { ImportModel } from "../model.ts";
import { Post } from "./form.tsx";

/** Import and export. */
export function Move({ importing }: { readonly importing: ImportModel | null }) {
  return (
    <details id="move" class="section" {...(importing ? { open: true } : {})}>
      <summary>
        <h2>Import and export</h2>
      </summary>
      {importing && <Plan plan={importing} />}
      <div class="columns">
        <Post to="/import" class="fields" file>
          <h3>Import</h3>
          <p>
            An export, an <code>accounts.json</code> of any version, a Codex <code>auth.json</code>
            {" "}
            or a list. Nothing changes before you have seen what would.
          </p>
          <label>
            File
            <input type="file" name="file" required />
          </label>
          <label>
            Passphrase, if it is sealed
            <input type="password" name="passphrase" autocomplete="off" />
          </label>
          <button type="submit">Look at it</button>
        </Post>
        <Post to="/export" class="fields">
          <h3>Export</h3>
          <p>
            All accounts with their tokens in one sealed file. Move accounts, do not copy them: the
            machine that renews a token first ends the other's.
          </p>
          <label>
            Passphrase for the file
            <input type="password" name="passphrase" required autocomplete="new-password" />
          </label>
          <label>
            Once more
            <input type="password" name="again" required autocomplete="new-password" />
          </label>
          <button type="submit">Download</button>
        </Post>
      </div>
    </details>
  );
}

/** What the uploaded file would bring. */
function Plan({ plan }: { readonly plan: ImportModel }) {
  const changes = plan.rows.filter(({ action }) => action === "add" || action === "update").length;
  return (
    <div class="panel">
      <h3>{plan.file} ({plan.kind})</h3>
      <div class="scroll" tabindex={0} role="region" aria-label="What the file would bring">
        <table>
          <thead>
            <tr>
              <th scope="col">Account</th>
              <th scope="col">Email</th>
              <th scope="col">What happens</th>
            </tr>
          </thead>
          <tbody>
            {plan.rows.map(({ alias, email, action, why }) => (
              <tr>
                <td>{alias}</td>
                <td>{email ?? "unknown"}</td>
                <td>{why === "" ? action : `${action}: ${why}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Post to="/import/apply" class="row">
        <input type="hidden" name="plan" value={plan.id} />
        {changes > 0 && (
          <button type="submit" class="primary">
            {changes === 1 ? "Import 1 account" : `Import ${changes} accounts`}
          </button>
        )}
        <button type="submit" class="quiet" formaction="/import/drop">Drop it</button>
      </Post>
    </div>
  );
}
