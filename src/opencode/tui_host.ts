import type { Element } from "@opentui/solid";

/**
 * The part of OpenCode's interface for TUI plugins (1.18) that we use, written
 * down here as `host.ts` does for the server's.
 *
 * @module
 */

/** A command of the palette. */
export interface TuiCommand {
  readonly namespace: "palette";
  readonly name: string;
  readonly title: string;
  readonly category: string;
  run(): void;
}

/** One row of a selection. */
export interface TuiOption {
  readonly title: string;
  readonly value: string;
  readonly description?: string;
  readonly footer?: string;
}

/** What a selection is made of. */
export interface TuiSelectProps {
  readonly title: string;
  readonly placeholder?: string;
  readonly options: readonly TuiOption[];
  readonly current?: string | undefined;
  readonly onSelect: (option: TuiOption) => void;
}

/** What OpenCode hands to a TUI plugin; only what we use. */
export interface TuiApi {
  readonly keymap: {
    registerLayer(layer: { commands: readonly TuiCommand[]; bindings: readonly never[] }): unknown;
  };
  readonly slots: {
    register(plugin: {
      order: number;
      slots: {
        home_prompt_right(context: unknown, props: unknown): Element;
        session_prompt_right(context: unknown, props: { readonly session_id: string }): Element;
      };
    }): unknown;
  };
  readonly theme: {
    readonly current: Readonly<Record<"textMuted" | "warning" | "error", unknown>>;
  };
  readonly ui: {
    readonly DialogSelect: (props: TuiSelectProps) => Element;
    readonly dialog: { replace(render: () => Element): void; clear(): void };
    toast(toast: {
      title?: string;
      message: string;
      variant: "info" | "success" | "warning" | "error";
    }): void;
  };
  readonly renderer?: { readonly width?: number };
  readonly lifecycle: { onDispose(dispose: () => void | Promise<void>): unknown };
}
