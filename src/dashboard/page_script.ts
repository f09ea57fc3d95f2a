import type { Change } from "./stream.ts";

/**
 * What makes the page smooth where scripts run. It is one function without ties to the rest, because
 * the page is served its text; the bundle has it small.
 */
export function pageScript(): void {
  const by = (id: string) => document.getElementById(id);
  const bodyOf = (html: string) => new DOMParser().parseFromString(html, "text/html").body;
  let stream: EventSource | undefined;
  let wait: ReturnType<typeof setTimeout>;
  let fade: ReturnType<typeof setTimeout>;
  let loads = 0;

  /**
   * Makes a node what another one is. It stays the same node, so whatever a person has typed, chosen,
   * opened or focused in it stays too.
   */
  const morph = (old: Node, fresh: Node) => {
    if (!(old instanceof Element && fresh instanceof Element)) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    // What this page says of its last action is no matter of the server's.
    if (old.id === "notice" && !fresh.firstChild) return;
    for (const { name } of [...old.attributes]) {
      if (!/open|aria-busy/.test(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    let next = old.firstChild;
    for (const child of [...fresh.childNodes] as Element[]) {
      let same = (child.id ? by(child.id) : next) as Element | null;
      while (same && !child.id && (same.id || kind(same) !== kind(child))) {
        same = same.nextSibling as Element | null;
      }
      if (same && same === next) next = next.nextSibling;
      else old.insertBefore(same ?? child, next);
      if (same) morph(same, child);
    }
    while (next) {
      const gone = next;
      next = next.nextSibling;
      drop(gone);
    }
  };

  /** What may become what: a box of one class is not one of another, whatever is typed in it. */
  const kind = (node: Element) => node.nodeName + node.getAttribute?.("class");

  /** Takes a node out, unless it has text that nobody has saved or sent. */
  const drop = (node: ChildNode) => {
    const fields = node instanceof Element
      ? node.querySelectorAll("form:not([aria-busy]) :is(input,textarea)")
      : [];
    if (
      ![...fields as Iterable<HTMLInputElement>].some((field) => field.value !== field.defaultValue)
    ) {
      node.remove();
    }
  };

  /** Changes the page and keeps the focus: where it was, or near it. */
  const update = (change: () => void) => {
    const focus = document.activeElement as HTMLElement;
    const near = focus.closest("article,section,details");
    change();
    if (focus !== document.activeElement) {
      const box = near?.isConnected ? near : undefined;
      const next = box?.querySelector<HTMLElement>("summary,button:enabled,a") ??
        by("add")?.querySelector("summary");
      (focus.isConnected ? focus : next)?.focus({ preventScroll: true });
    }
    tick();
    follow();
  };

  const apply = ({ parts = {}, order, log = "" }: Change) => {
    const cards = by("accounts");
    for (const id in parts) {
      const fresh = bodyOf(parts[id] ?? "").firstChild as Element;
      const old = by(id);
      if (old) morph(old, fresh);
      else cards?.append(fresh);
    }
    if (order && cards) {
      for (const card of [...cards.children]) if (!order.includes(card.id)) drop(card);
      order.forEach((id, at) => {
        const [card, there] = [by(id), cards.children[at] ?? null];
        if (card && card !== there) cards.insertBefore(card, there);
      });
    }
    const lines = by("log-lines");
    lines?.insertAdjacentHTML("beforeend", log);
    while ((lines?.childElementCount ?? 0) > 400) lines?.firstChild?.remove();
  };

  /** Says of every moment how far away it is. */
  const tick = () => {
    for (const time of document.querySelectorAll<HTMLTimeElement>("time[datetime]")) {
      const away = Date.parse(time.dateTime) - Date.now();
      const round = away > 0 ? Math.ceil : Math.floor;
      const seconds = round(Math.abs(away) / 1_000);
      const minutes = round(seconds / 60);
      const two = (all: number, size: number, large: string, small: string) =>
        Math.floor(all / size) + large + (all % size ? ` ${all % size}${small}` : "");
      const span = seconds < 60
        ? `${seconds}s`
        : minutes < 60
        ? `${minutes}m`
        : minutes < 1_440
        ? two(minutes, 60, "h", "m")
        : two(round(minutes / 60), 24, "d", "h");
      const text = away > 0 ? `in ${span}` : seconds < 60 ? "just now" : `${span} ago`;
      const part = time.firstElementChild;
      const at = part ?? time;
      const now = part ? `${text} · ` : text;
      // What is marked to be copied stays marked.
      if (at.textContent !== now) at.textContent = now;
    }
  };

  const follow = () => {
    const lines = by("log-lines");
    if (lines && (by("follow") as HTMLInputElement).checked) lines.scrollTop = lines.scrollHeight;
  };

  const say = (id: string, text: string, kind = "") => {
    const at = by(id);
    if (at) [at.textContent, at.className] = [text, kind];
  };

  /** It stands in front of the page, so it goes when it was read; what went wrong takes longer. */
  const fadeLater = () => {
    clearTimeout(fade);
    fade = setTimeout(say, by("notice")?.className === "failed" ? 60_000 : 8_000, "notice", "");
  };

  const listen = () => {
    fadeLater();
    const address = by("main")?.dataset["events"];
    if (!address || document.hidden) return;
    const source = stream = new EventSource(address);
    source.onopen = () => say("live", "Live");
    source.onmessage = ({ data }) => update(() => apply(JSON.parse(data)));
    source.addEventListener("reload", load);
    source.addEventListener("bye", () => {
      source.close();
      say("live", "Ended. Reload the page", "off");
    });
    source.onerror = () => {
      // A stream that was turned away does not try again by itself.
      if (source.readyState === 2) retry();
      else say("live", "Reconnecting…", "off");
    };
  };

  const retry = () => {
    say("live", "Reconnecting…", "off");
    wait = setTimeout(load, 2_000);
  };

  /** Fetches the page anew and shows what is different. */
  const load = async () => {
    stream?.close();
    const mine = ++loads;
    try {
      const answer = await fetch(location.href);
      const text = await answer.text();
      if (mine !== loads) return;
      if (answer.status >= 500) return retry();
      update(() => morph(document.body, bodyOf(text)));
      listen();
    } catch {
      retry();
    }
  };

  /** Shows what is searched for. */
  const search = () => {
    const query = new URLSearchParams();
    new FormData(by("filter") as HTMLFormElement).forEach((value, name) =>
      value && query.set(name, `${value}`)
    );
    history.replaceState(null, "", `?${query}`);
    load();
  };

  document.oninput = ({ target }) => {
    if ((target as HTMLInputElement).form?.id !== "filter") return;
    clearTimeout(wait);
    wait = setTimeout(search, 120);
  };

  document.onsubmit = async (event) => {
    const form = event.target as HTMLFormElement;
    const button = event.submitter;
    const to = button?.getAttribute("formaction") ?? form.getAttribute("action") ?? "";
    // What these answer is a page or a file.
    if (/^\/(import|export|unlock|sign-out)$/.test(to)) return;
    event.preventDefault();
    if (form.id === "filter") return search();
    if (form.ariaBusy) return;
    form.ariaBusy = "true";
    const body = new FormData(form, button);
    try {
      const answer = await fetch(to, {
        method: "POST",
        headers: { "x-csrf-token": `${body.get("csrf")}` },
        body: new URLSearchParams(body as unknown as URLSearchParams),
      });
      if (answer.status === 401) return load();
      const json = answer.headers.get("content-type")?.includes("json");
      const text = await answer.text();
      const { notice } = json ? JSON.parse(text) : { notice: { text, kind: "failed" } };
      say("notice", notice.text, notice.kind);
      const fields = [...form.elements] as HTMLInputElement[];
      // What was sent is what is saved and no draft any more, unless somebody has typed on meanwhile.
      if (answer.ok && fields.every(({ name, value }) => (body.get(name) ?? value) === value)) {
        if (!/^\/logins$|\/reset$/.test(to)) {
          for (const field of fields) field.defaultValue = field.value;
        }
        form.reset();
      }
    } catch {
      say("notice", "The program did not answer. See whether it still runs.", "failed");
    }
    form.ariaBusy = null;
    fadeLater();
  };

  document.onvisibilitychange = () => {
    // All pages of an origin share six connections: nobody looks at this one.
    if (document.hidden) stream?.close();
    else load();
  };
  document.addEventListener("toggle", follow, true);
  document.documentElement.className = "js";
  tick();
  setInterval(tick, 1_000);
  listen();
}
