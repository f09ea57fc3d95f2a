import type { Child } from "hono/jsx";

/** A form that changes something. Without script it comes back to the page it was sent from. */
export function Post({ to, children, class: name, file }: {
  readonly to: string;
  readonly children?: Child;
  readonly class?: string;
  /** Whether it carries a file. */
  readonly file?: boolean;
}) {
  return (
    <form
      method="post"
      action={to}
      {...(name ? { class: name } : {})}
      {...(file ? { enctype: "multipart/form-data" } : {})}
    >
      <input type="hidden" name="csrf" value="" />
      {children}
    </form>
  );
}

/**
 * Puts into all forms what differs from visitor to visitor, so that everything else can be kept. The
 * text that is looked for has quotes in it: nothing that a person has written can be it.
 *
 * @param back The query that the forms return to, as in the page's address; empty for none.
 */
export function fill(html: string, csrf: string, back: string): string {
  const fields = String(
    <>
      <input type="hidden" name="csrf" value={csrf} />
      {back !== "" && <input type="hidden" name="back" value={back} />}
    </>,
  );
  return html.replaceAll(OPEN_FIELD, () => fields);
}

const OPEN_FIELD = '<input type="hidden" name="csrf" value=""/>';

/** Address of a write about one account. */
export function accountAction(id: string, action: string): string {
  return `/accounts/${encodeURIComponent(id)}/${action}`;
}
