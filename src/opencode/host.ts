/**
 * The part of OpenCode's plugin interface (1.18) that we use, written down
 * here so that the published types need nothing from outside.
 *
 * @module
 */

/** An entry of OpenCode's `auth.json`. */
export type AuthEntry =
  | {
    readonly type: "oauth";
    readonly refresh: string;
    readonly access: string;
    /** Epoch milliseconds. */
    readonly expires: number;
    readonly accountId?: string;
  }
  | { readonly type: "api"; readonly key: string }
  | { readonly type: string };

/** What OpenCode hands to a plugin; only what we use. */
export interface PluginInput {
  readonly client?: {
    readonly auth?: {
      set(request: { path: { id: string }; body: AuthEntry }): Promise<unknown>;
    };
    readonly session?: {
      get(request: { path: { id: string } }): Promise<{ data?: unknown }>;
    };
    readonly tui?: {
      showToast(request: {
        body: {
          title?: string;
          message: string;
          variant: "info" | "success" | "warning" | "error";
          /** Milliseconds. */
          duration?: number;
        };
      }): Promise<unknown>;
    };
  };
  readonly directory?: string;
}

/** OpenCode's configuration; only what we look at. */
export interface HostConfig {
  readonly plugin?: readonly (string | readonly [string, unknown])[];
  command?: Record<string, HostCommand>;
}

/** A model as OpenCode keeps it; only what we write. */
export interface HostModel {
  readonly id?: string;
  readonly api?: { readonly id: string; readonly npm?: string; readonly url?: string };
  readonly [field: string]: unknown;
}

/** Changes the models of a provider. */
export interface ProviderHook {
  readonly id: "openai";
  /** @returns What takes the place of the models that OpenCode has. */
  models(
    provider: { readonly models: Record<string, HostModel> },
    context?: { readonly auth?: AuthEntry },
  ): Promise<Record<string, HostModel>>;
}

/** A tool that the model may call. */
export interface HostTool {
  readonly description: string;
  /** A JSON schema for each argument; OpenCode asks the model for all of them. */
  readonly args: Readonly<Record<string, unknown>>;
  execute(args: unknown, context?: { readonly sessionID?: string }): Promise<string>;
}

/** A slash command of OpenCode's configuration. */
export interface HostCommand {
  readonly template: string;
  readonly description?: string;
}

/** How a login offered by a plugin ends. */
export type LoginResult =
  | { type: "success"; refresh: string; access: string; expires: number; accountId?: string }
  | { type: "failed" };

/** A login that a plugin offers. */
export interface LoginMethod {
  readonly type: "oauth";
  readonly label: string;
  readonly prompts?: readonly {
    readonly type: "text";
    readonly key: string;
    readonly message: string;
    readonly placeholder?: string;
    readonly validate?: (value: string) => string | undefined;
  }[];
  authorize(inputs?: Record<string, string>): Promise<
    & { url: string; instructions: string }
    & (
      | { method: "auto"; callback(): Promise<LoginResult> }
      | { method: "code"; callback(code: string): Promise<LoginResult> }
    )
  >;
}

/** The hooks that we give to OpenCode. */
export interface Hooks {
  readonly auth: {
    readonly provider: "openai";
    loader(getAuth: () => Promise<AuthEntry>, provider: unknown): Promise<Record<string, unknown>>;
    readonly methods: readonly LoginMethod[];
  };
  readonly provider: ProviderHook;
  readonly tool: Readonly<Record<string, HostTool>>;
  config(config: HostConfig): Promise<void>;
  event(input: { event: { type: string; properties?: unknown } }): Promise<void>;
  dispose(): Promise<void>;
}
