/**
 * What the program may do under Deno: the compiled binary carries this, and a service that runs it
 * from source or from an address is started with it. What is not here is refused without a question.
 */
export const PERMISSIONS = [
  "--no-prompt",
  // The store, OpenCode's and Codex's files; all of them can be moved by environment variables.
  "--allow-read",
  "--allow-write",
  "--allow-env",
  // The issuer, the backend, ntfy, a shared store, the dashboard: addresses the person chooses.
  "--allow-net",
  // Home folder, machine name for leases, owner of files, WSL for opening a browser.
  "--allow-sys=homedir,hostname,uid,osRelease",
  // codex, opencode, systemctl, launchctl, the browser, a passphrase command.
  "--allow-run",
] as const;
