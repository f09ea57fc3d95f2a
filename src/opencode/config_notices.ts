import { type Environment, set } from "../platform/paths.ts";
import type { AuthFile } from "./auth_file.ts";
import type { GlobalConfig } from "./config_file.ts";

/** What in the environment keeps OpenCode from using what is set up, one sentence each. */
export function environmentNotices(
  env: Environment,
  auth: AuthFile,
  config: GlobalConfig,
): readonly string[] {
  const notices: string[] = [];
  if (auth.overridden) {
    notices.push(
      `OPENCODE_AUTH_CONTENT is set: OpenCode reads it instead of ${auth.path}, and asks the ` +
        'plugin only if it has an "openai" entry of type oauth. Unset it to use the file.',
    );
  }
  if (/^(?:1|true)$/i.test(env["OPENCODE_PURE"] ?? "")) {
    notices.push("OPENCODE_PURE is set: OpenCode loads no plugin until it is unset.");
  }
  if (config.target.path === set(env["OPENCODE_CONFIG"])) {
    notices.push(
      `OpenCode reads ${config.target.path} only where OPENCODE_CONFIG names it: keep that set.`,
    );
  }
  return notices;
}

/** What in the configuration stands against the plugin, one sentence each. */
export function configNotices(config: GlobalConfig): readonly string[] {
  return config.files.flatMap(({ path, settings }) => {
    const notices: string[] = [];
    const options = at(at(at(settings, "provider"), "openai"), "options");
    for (const name of ["apiKey", "baseURL"]) {
      if (at(options, name) === undefined) continue;
      notices.push(
        `provider.openai.options.${name} in ${path} is stronger than the plugin: remove it.`,
      );
    }
    const { disabled_providers: disabled, enabled_providers: enabled } = settings;
    if (Array.isArray(disabled) && disabled.includes("openai")) {
      notices.push(`disabled_providers in ${path} has "openai": take it out.`);
    }
    if (Array.isArray(enabled) && !enabled.includes("openai")) {
      notices.push(`enabled_providers in ${path} lacks "openai": add it.`);
    }
    return notices;
  });
}

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
