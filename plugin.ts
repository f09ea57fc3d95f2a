/**
 * The OpenCode plugin: serves the `openai` provider from several ChatGPT
 * accounts. OpenCode loads the default export and nothing else.
 *
 * @module
 */
import { server } from "./src/opencode/server.ts";
import type { Hooks, PluginInput } from "./src/opencode/host.ts";

const plugin: { id: string; server: (input: PluginInput) => Promise<Hooks> } = {
  id: "opencode-multi-auth",
  server: (input) => server(input),
};

export default plugin;
