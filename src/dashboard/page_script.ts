/**
 * What makes the page smooth where scripts run. It is one function without ties to the rest, because
 * the page is served its text; the bundle has it small.
 */
export function pageScript(): void {
  const by = (id: string) => document.getElementById(id);
  const { events, csrf } = (document.currentScript as HTMLScriptElement).dataset;
  const filter = by("filter") as HTMLFormElement | null;
  const cards = by("accounts");
  /** Fields with text that is not saved yet. */
  const touched = new WeakSet<Element>();
  let stream: EventSource;
  let since = events?.split("since=")[1] ?? "";
  let wait: ReturnType<typeof setTimeout>;

  /** Says of every moment how far away it is. */
  const tick = () => {
    for (const time of document.querySelectorAll<HTMLTimeElement>("time[datetime]")) {
      const away = Date.parse(time.dateTime) - Date.now();
      const round = away > 0 ? Math.ceil : Math.floor;
      const seconds = round(Math.abs(away) / 1_000);
      const minutes = round(seconds / 60);
      const hours = round(minutes / 60);
      const two = (size: number, of: number, large: string, small: string) =>
        Math.floor(of / size) + large + (of % size ? ` ${of % size}${small}` : "");
      const span = seconds < 60
        ? `${seconds}s`
        : minutes < 60
        ? `${minutes}m`
        : minutes < 1_440
        ? two(60, minutes, "h", "m")
        : two(24, hours, "d", "h");
      const text = away > 0 ? `in ${span}` : seconds < 60 ? "just now" : `${span} ago`;
      const at = time.firstElementChild;
      const said = at ? `${text} · ` : text;
      if ((at ?? time).textContent !== said) (at ?? time).textContent = said;
    }
  };

  const say = (kind: string, text: string) => {
    const notice = by("notice");
    if (notice) [notice.className, notice.textContent] = [kind, text];
  };

  const live = (text: string, off: boolean) => {
    const at = by("live");
    if (at) [at.textContent, at.className] = [text, off ? "off" : ""];
  };

  /** What can be used in a part, each under a name that its next edition has too. */
  const controls = (part: Element) => {
    const found = new Map<string, HTMLInputElement>();
    for (
      const control of part.querySelectorAll<HTMLInputElement>(
        "a,button,details,input,select,summary,textarea,[tabindex]",
      )
    ) {
      const { localName, name, textContent } = control;
      let key = localName + (localName === "button" ? textContent : name ?? "");
      while (found.has(key)) key += "+";
      found.set(key, control);
    }
    return found;
  };

  /** Makes elements of details that came as text. */
  const unfold = (details: Element | null) => {
    const text = details?.querySelector("noscript");
    if (!text) return;
    // In a template there is no script, so it was read as elements there.
    if (text.firstElementChild) text.replaceWith(...text.childNodes);
    else text.outerHTML = text.textContent;
    tick();
  };

  /** Replaces a part of the page. Open details, unsaved text and the focus stay. */
  const put = (id: string, html: string) => {
    const old = by(id);
    const box = document.createElement("template");
    box.innerHTML = html;
    const fresh = box.content.firstElementChild as HTMLElement;
    if (!old) {
      if (id.startsWith("account-") && cards?.firstElementChild) cards.append(fresh);
      // The page is of another kind now: its first account has come.
      else location.reload();
      return;
    }
    if (old.parentElement === cards) fresh.hidden = old.hidden;
    if (old.querySelector("details[open]")) unfold(fresh);
    const focus = document.activeElement as HTMLInputElement;
    const { selectionStart: start, selectionEnd: end } = focus;
    const after = controls(fresh);
    let focused: HTMLInputElement | undefined;
    [...controls(old)].forEach(([key, before], index) => {
      const now = after.get(key);
      if (now && before.localName === "details" && before.hasAttribute("open")) {
        now.setAttribute("open", "");
      }
      if (now && touched.has(before)) {
        now.value = before.value;
        touched.add(now);
      }
      // The button that was pressed may be another one now: the focus stays near.
      if (before === focus) focused = now ?? [...after.values()][index];
    });
    old.replaceWith(fresh);
    focused?.focus({ preventScroll: true });
    if (typeof start === "number") focused?.setSelectionRange?.(start, end);
  };

  /** Shows these cards in this order. */
  const arrange = (ids: string[]) => {
    const focus = document.activeElement as HTMLElement;
    let next = cards?.firstElementChild as HTMLElement | null;
    for (const id of ids) {
      const card = by(id);
      if (!card) continue;
      card.hidden = false;
      if (card === next) next = next.nextElementSibling as HTMLElement | null;
      else cards?.insertBefore(card, next);
    }
    for (; next; next = next.nextElementSibling as HTMLElement | null) next.hidden = true;
    if (focus !== document.activeElement) focus.focus({ preventScroll: true });
    cards?.classList.toggle("none", ids.length === 0);
    const all = by("all");
    if (all) all.hidden = ids.length <= 100;
    const count = by("count");
    if (count) count.textContent = `${ids.length} accounts shown`;
  };

  const follow = () => {
    const lines = by("log-lines");
    if (lines && (by("follow") as HTMLInputElement).checked) lines.scrollTop = lines.scrollHeight;
  };

  const open = (url: string) => {
    stream?.close();
    stream = new EventSource(url);
    // deno-lint-ignore no-explicit-any
    const on = (name: string, hear: (data: any) => void) =>
      stream.addEventListener(name, (event) => {
        since = event.lastEventId || since;
        hear(JSON.parse(event.data || "null"));
        tick();
        follow();
      });
    on("parts", (parts) => Object.keys(parts).forEach((id) => put(id, parts[id])));
    on("order", arrange);
    on("gone", (ids: string[]) => ids.forEach((id) => by(id)?.remove()));
    on("append", ({ id, html }) => {
      by(id)?.insertAdjacentHTML("beforeend", html);
      while ((by(id)?.childElementCount ?? 0) > 400) by(id)?.firstElementChild?.remove();
    });
    on("bye", () => {
      stream.close();
      live("Ended. Reload the page", true);
    });
    stream.onopen = () => live("Live", false);
    on("reload", () => location.reload());
    stream.onerror = () =>
      live(stream.readyState === 2 ? "Signed out. Reload the page" : "Reconnecting…", true);
  };

  /** Another search: its address, and the stream for it. */
  const choose = () => {
    if (!filter) return open(events ?? "");
    const query = new URLSearchParams();
    new FormData(filter).forEach((value, name) => value && query.set(name, String(value)));
    history.replaceState(null, "", `?${query}`);
    const lines = by("log-lines");
    if (lines) lines.className = `from-${query.get("level")}`;
    query.set("since", since);
    open(`/events?${query}`);
  };

  document.addEventListener("input", ({ target }) => {
    touched.add(target as Element);
    if (!filter || (target as HTMLInputElement).form !== filter) return;
    clearTimeout(wait);
    wait = setTimeout(choose, 120);
  });

  document.addEventListener("submit", async (event) => {
    const form = event.target as HTMLFormElement;
    const button = event.submitter;
    const to = button?.getAttribute("formaction") ?? form.getAttribute("action") ?? "";
    if (form === filter) {
      event.preventDefault();
      return choose();
    }
    // What these answer is a page or a file.
    if (/^\/(import|export|unlock|sign-out)$/.test(to)) return;
    event.preventDefault();
    if (button?.ariaBusy) return;
    if (button) button.ariaBusy = "true";
    const fields = [...controls(form).values()].filter((field) => touched.delete(field));
    try {
      const answer = await fetch(to, {
        method: "POST",
        headers: { "x-csrf-token": csrf ?? "" },
        body: new URLSearchParams(new FormData(form, button) as unknown as URLSearchParams),
      });
      if (answer.status === 401) location.reload();
      const { notice } = await answer.json();
      say(notice.kind, notice.text);
      if (!answer.ok) fields.forEach((field) => touched.add(field));
      else if (form.parentElement?.id === "add") form.reset();
    } catch {
      say("failed", "The program did not answer. See whether it still runs.");
    }
    if (button) button.ariaBusy = null;
  });

  by("all")?.addEventListener("click", ({ target }) => {
    cards?.classList.add("all");
    (target as HTMLElement).remove();
  });
  document.addEventListener("visibilitychange", () => {
    // All pages of an origin share six connections: nobody looks at this one.
    if (document.hidden) stream.close();
    else choose();
  });
  document.addEventListener("toggle", ({ target }) => {
    unfold(target as Element);
    follow();
  }, true);
  document.documentElement.className = "js";
  tick();
  setInterval(tick, 1_000);
  if (events) open(events);
}
