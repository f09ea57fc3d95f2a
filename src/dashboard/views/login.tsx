import { LENGTHS } from "../action.ts";
import type { LoginModel } from "../model.ts";
import { Ways } from "./account_body.tsx";
import { Post } from "./form.tsx";

/** Adds an account. */
export function AddAccount({ open }: { readonly open: boolean }) {
  return (
    <details id="add" {...(open ? { open: true } : {})}>
      <summary>Add account</summary>
      <Post to="/logins" class="row">
        <label>
          Alias
          <input name="alias" required maxlength={64} placeholder="personal" autocomplete="off" />
        </label>
        <label>
          Sign in
          <Ways />
        </label>
        <button type="submit" class="primary">Sign in</button>
        <p>
          The alias is your name for it. Do not run <code>codex login</code>{" "}
          for accounts that are here: it ends their tokens.
        </p>
      </Post>
    </details>
  );
}

/** The login that is under way, with all the person needs for it. */
export function Login({ login }: { readonly login: LoginModel | null }) {
  if (login === null) return <section id="login" hidden></section>;
  const { alias, way, state, url, userCode, message } = login;
  return (
    <section id="login" class="panel" aria-labelledby="login-title">
      <h2 id="login-title">{TITLES[state]}: {alias}</h2>
      {message && <p>{message}</p>}
      {state === "waiting" && (
        <>
          {userCode && (
            <p>
              Enter this code there: <b class="code">{userCode}</b>
            </p>
          )}
          {url && (
            <p>
              <a class="button primary" href={url} target="_blank" rel="noopener noreferrer">
                Open the sign-in page
              </a>
            </p>
          )}
          {way !== "device" && (
            <Post to="/logins/paste" class="row">
              <label class="wide">
                {way === "paste"
                  ? "Address that the browser ends on"
                  : "If the browser cannot reach this machine: the address it ended on"}
                <input
                  name="address"
                  required
                  maxlength={LENGTHS.address}
                  autocomplete="off"
                  spellcheck={false}
                />
              </label>
              <button type="submit">Finish</button>
            </Post>
          )}
        </>
      )}
      <Post to="/logins/cancel">
        <button type="submit" class="quiet">{state === "waiting" ? "Cancel" : "Close"}</button>
      </Post>
    </section>
  );
}

const TITLES: Readonly<Record<LoginModel["state"], string>> = {
  waiting: "Signing in",
  done: "Signed in",
  failed: "Could not sign in",
};
