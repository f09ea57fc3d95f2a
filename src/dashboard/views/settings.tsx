import type { DashboardModel } from "../model.ts";
import { Post } from "./form.tsx";

/** Every setting with its value in force. The strategy stands first: it is the one that people change. */
export function Settings({ model }: { readonly model: DashboardModel }) {
  return (
    <details id="settings" class="section">
      <summary>
        <h2>Settings</h2>
        <span>strategy {model.strategy}</span>
      </summary>
      <ul class="settings">
        {model.settings.map((setting) => <Setting setting={setting} />)}
      </ul>
    </details>
  );
}

function Setting({ setting }: { readonly setting: DashboardModel["settings"][number] }) {
  const { name, value, about, choices, fixedBy } = setting;
  const id = `setting-${name}`;
  const field = { id, name: "value", "aria-describedby": `${id}-about` };
  if (fixedBy !== null) {
    return (
      <li class="row">
        <label for={id}>{name}</label>
        <input {...field} value={value} disabled />
        <p id={`${id}-about`}>
          {about}; set by <code>{fixedBy}</code>
        </p>
      </li>
    );
  }
  return (
    <li>
      <Post to="/settings" class="row">
        <input type="hidden" name="name" value={name} />
        <label for={id}>{name}</label>
        {choices === null
          ? <input {...field} value={value} autocomplete="off" spellcheck={false} />
          : (
            <select {...field}>
              {choices.map((choice) => (
                <option value={choice} {...(choice === value ? { selected: true } : {})}>
                  {choice}
                </option>
              ))}
            </select>
          )}
        <button type="submit">
          Set<span class="vh">{name}</span>
        </button>
        <button type="submit" class="quiet" formaction="/settings/reset">
          Reset<span class="vh">{name}</span>
        </button>
        <p id={`${id}-about`}>{about}</p>
      </Post>
    </li>
  );
}
