/**
 * The plugin for OpenCode's terminal interface: the account beside the prompt
 * and a palette of the common actions. An entry of its own, because OpenCode
 * refuses one that has both `server` and `tui`.
 *
 * @module
 */
import { tui } from "./src/opencode/tui.ts";
import type { TuiApi } from "./src/opencode/tui_host.ts";

const plugin: { id: string; tui: (api: TuiApi) => Promise<void> } = {
  id: "opencode-multi-auth",
  tui: (api) => tui(api),
};

export default plugin;
