/**
 * The dashboard as a service of the person's own session: what every service manager can do, and what
 * it is told.
 *
 * @module
 */

/** How the dashboard is to be run. */
export interface ServicePlan {
  /** The program and its arguments, the first an absolute path. */
  readonly command: readonly string[];
  /** What it needs of the environment it is installed from. May hold a secret of the person's. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What an installed service is set to. */
export interface ServiceSettings {
  /** TCP port of the dashboard. */
  readonly port: number | undefined;
  readonly host: string | undefined;
}

/** What the files of an installed service say. */
export interface PresentService extends ServiceSettings {
  readonly environment: Readonly<Record<string, string>>;
}

/** What a service is doing. */
export interface ServiceState {
  /** Whether its file is there. */
  readonly installed: boolean;
  readonly running: boolean;
  /** Whether it starts with the person's session. */
  readonly enabled: boolean;
}

/** What an installation did. */
export interface InstalledService {
  /** What the person should know, one sentence each. */
  readonly notices: readonly string[];
}

/** A service manager. */
export interface ServiceManager {
  /** As its owner writes it. */
  readonly name: "systemd" | "launchd";
  /** What it calls a service of this kind, in words: `systemd user service`. */
  readonly kind: string;
  /** What it knows the service by. */
  readonly service: string;
  /** The file that describes the service. */
  readonly file: string;
  /** What the present files say, whoever wrote them; undefined when there is no service. */
  present(): PresentService | undefined;
  /** Writes the file, and starts the service now and with each session. */
  install(plan: ServicePlan): Promise<InstalledService>;
  /** Stops the service, now and for later sessions. The file stays. */
  disable(): Promise<void>;
  /** Stops the service and removes everything that `install` wrote. */
  uninstall(): Promise<void>;
  state(): Promise<ServiceState>;
  /** The manager's own report on the service, and whether it says that the service runs. */
  report(): Promise<{ readonly text: string; readonly running: boolean }>;
  /**
   * Shows what the service has printed, straight to the terminal.
   *
   * @param options.lines How many of the last lines.
   * @param options.follow Goes on until it is interrupted.
   * @returns The exit status of the program that showed it.
   */
  showLog(options: { lines: number; follow: boolean }): Promise<number>;
}

/** Reads `--port` and `--host` out of the words of a command. */
export function settingsIn(words: readonly string[]): ServiceSettings {
  const after = (name: string) => {
    const at = words.indexOf(name);
    return at < 0 ? undefined : words[at + 1];
  };
  const port = Number(after("--port"));
  return {
    port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined,
    host: after("--host"),
  };
}
