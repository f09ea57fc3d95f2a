import type { Child } from "hono/jsx";

/** A document around some content. */
export function document({ title, script, children }: {
  readonly title: string;
  /** Whether there is something to keep up to date. */
  readonly script?: boolean;
  readonly children: Child;
}): string {
  const html = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title} · opencode-multi-auth</title>
        <link rel="icon" href={ICON} />
        <link rel="stylesheet" href="/page.css" />
        {script && <script src="/page.js" defer></script>}
      </head>
      <body>
        <a class="skip" href="#main">Skip to content</a>
        {children}
      </body>
    </html>
  );
  return `<!DOCTYPE html>\n${html}`;
}

/** A coin of which a half is left. */
const ICON = `data:image/svg+xml,${
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="#888"/>' +
      '<path d="M8 1a7 7 0 0 1 0 14z" fill="#0a7"/></svg>',
  )
}`;
