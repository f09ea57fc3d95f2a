/**
 * The Codex CLI's own lock on its login: an exclusive `flock(2)` on two files, one after the other.
 *
 * None of our runtimes can take such a lock by itself, so a small program of the system holds it
 * for us: `flock` (Linux), else `perl` (macOS, most of Linux). It lets go when its standard input
 * ends, so the lock cannot outlive this process. Where there is neither, as on Windows, nothing is
 * locked, and the last look before a file is replaced has to do.
 *
 * @module
 */
import { Failure } from "../platform/failure.ts";
import { type Environment, set } from "../platform/paths.ts";
import { builtin, runtime } from "../platform/runtime.ts";

/** Takes locks on files in this order. Resolves to what lets go of them, or undefined where no lock can be had. */
export type Lock = (paths: readonly string[]) => Promise<(() => Promise<void>) | undefined>;

/** How often a lock that somebody else has is tried, 20 ms apart: 10 s, after which Codex must hang. */
const TRIES = 500;

/** What the programs end with: no lock of this kind here, and held by somebody else all the time. */
const CANNOT = 3;
const BUSY = 5;

const SHELL = `command -v flock >/dev/null 2>&1 || exit ${CANNOT}
exec 8>>"$1" 9>>"$2" || exit ${CANNOT}
take() {
  n=0
  until flock -n "$1"; do
    [ $? -eq 1 ] || exit ${CANNOT}
    n=$((n + 1))
    [ $n -le ${TRIES} ] || exit ${BUSY}
    sleep 0.02
  done
}
take 8
take 9
echo held
read -r _`;

const PERL = `use Fcntl ":flock"; use Errno; $| = 1; my @held;
for my $path (@ARGV) {
  open(my $file, ">>", $path) or exit ${CANNOT};
  push @held, $file;
  for (my $n = 0; !flock($file, LOCK_EX | LOCK_NB); $n++) {
    exit ${CANNOT} unless $!{EWOULDBLOCK};
    exit ${BUSY} if $n >= ${TRIES};
    select(undef, undef, undef, 0.02);
  }
}
print "held\\n";
<STDIN>;`;

/** The programs that can hold the lock, the better one first. */
export const LOCK_PROGRAMS: readonly (readonly string[])[] = [
  ["sh", "-c", SHELL, "sh"],
  ["perl", "-e", PERL],
];

/**
 * Locks as the Codex CLI does.
 *
 * @param env Where programs are found.
 * @param programs Which are tried.
 */
export function lockWithPrograms(
  env: Environment,
  programs: readonly (readonly string[])[] = LOCK_PROGRAMS,
): Lock {
  return async (paths) => {
    if (runtime.platform === "win32") return undefined;
    for (const [command = "", ...args] of programs) {
      const held = await hold(command, [...args, ...paths], env);
      if (held === BUSY) {
        throw new Failure(
          `The Codex CLI's lock ${paths.at(-1)} is held by another program.`,
          "Try again; if that does not help, end the Codex that hangs.",
        );
      }
      if (typeof held === "function") return held;
    }
    return undefined;
  };
}

/** Starts a program that holds the lock. Gives what ends it, or the code it ended with by itself. */
function hold(
  command: string,
  args: readonly string[],
  env: Environment,
): Promise<(() => Promise<void>) | number> {
  return new Promise((resolve) => {
    const path = set(env["PATH"]) ?? set(runtime.env["PATH"]);
    const child = builtin("node:child_process").spawn(command, [...args], {
      env: path === undefined ? {} : { PATH: path },
      stdio: ["pipe", "pipe", "ignore"],
    });
    const ended = new Promise<void>((done) => {
      child.on("error", () => {
        done();
        resolve(CANNOT);
      });
      child.on("close", (code) => {
        done();
        resolve(code ?? CANNOT);
      });
    });
    // A program that is gone cannot be told anything.
    child.stdin.on("error", () => {});
    child.stdout.once("data", () =>
      resolve(() => {
        child.stdin.end();
        return ended;
      }));
  });
}
