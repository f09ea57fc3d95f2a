import { PACKAGE } from "../platform/version.ts";

/**
 * What a plugin entry is to us: our own package; an older package of this family, whose place we
 * take; a rival that claims `openai` too; or none of our business.
 */
export type PluginKind = "ours" | "older" | "rival" | "other";

/** A plugin entry, recognised. */
export interface PluginIdentity {
  readonly kind: PluginKind;
  /** Which package or repository it is, if that can be told. */
  readonly name?: string;
}

/** Looks a path plugin up: the `name` in the `package.json` that governs it, or undefined. */
export type PackageNameAt = (path: string) => string | undefined;

/** Owners of repositories that bear our package's name and are not ours. */
const OTHER_OWNERS = new Set(["guard22", "nguyenthdat", "floze-the-genius", "eremesng", "axman"]);

/** The branch of our repository that holds the built package. */
const BUILT_BRANCH = "npm";

/**
 * Packages, whatever their scope, that sign in to ChatGPT for the provider `openai`. Found on npm
 * and GitHub in November 2026.
 */
const RIVALS = new Set([
  "auth-codex-plugin",
  "oc-chatgpt-multi-auth",
  "oc-codex-multi-auth",
  "opencode-chatgpt-multi-auth",
  "opencode-codex-auth",
  "opencode-openai-codex-multi-auth",
  "opencode-openai-multi",
  "opencode-openai-multi-auth",
]);

/** OpenCode skips every spec with this text in it; forks carry it in their names. */
const SKIPPED = "opencode-openai-codex-auth";

/**
 * Recognises a plugin entry of opencode.json in all its forms: `name`, `name@version`,
 * `@scope/name`, `name@npm:other`, `name@git…`, `github:owner/repository`, `git+https://…`,
 * `file://…`, an absolute or a relative path.
 *
 * @param spec The entry, or the first item of a `[spec, options]` pair.
 * @param packageNameAt Looks up the package that a path belongs to.
 */
export function identifyPlugin(spec: string, packageNameAt: PackageNameAt): PluginIdentity {
  const text = spec.trim();
  if (isPathSpec(text)) return ofPath(text, packageNameAt);
  const named = /^((?:@[^/@\s]+\/)?[^/@:\s]+)(?:@(.+))?$/s.exec(text);
  if (named === null) return ofRepository(text);
  const [, name = "", target = ""] = named;
  if (target.startsWith("npm:")) return identifyPlugin(target.slice(4), packageNameAt);
  if (isPathSpec(target)) return known(ofPath(target, packageNameAt)) ?? ofPackage(name);
  if (/[:/]/.test(target)) return known(ofRepository(target)) ?? ofPackage(name);
  return ofPackage(name);
}

/** Whether a plugin entry claims `openai` beside us, told by the entry alone. */
export function isForeignPlugin(spec: string): boolean {
  const { kind } = identifyPlugin(spec, () => undefined);
  return kind === "older" || kind === "rival";
}

/** Whether OpenCode takes a spec for a path. `file:` without slashes is npm's form of one. */
export function isPathSpec(spec: string): boolean {
  return /^(?:file:|\.|\/|[A-Za-z]:[\\/])/.test(spec);
}

function known(identity: PluginIdentity): PluginIdentity | undefined {
  return identity.kind === "other" ? undefined : identity;
}

function ofPackage(name: string): PluginIdentity {
  if (name === PACKAGE) return { kind: "ours", name };
  const base = name.slice(name.indexOf("/") + 1).toLowerCase();
  if (base === PACKAGE) return { kind: "older", name };
  return { kind: isRival(base) ? "rival" : "other", name };
}

function isRival(base: string): boolean {
  return RIVALS.has(base) || base.includes(SKIPPED);
}

function ofRepository(spec: string): PluginIdentity {
  const [address = "", branch = ""] = spec.split("#", 2);
  // `git@host:owner/name`, `github:owner/name`, `git+https://host/owner/name.git`, `owner/name`
  const path = address
    .replace(/^(?:git\+)?[a-z]+:\/\/[^/]*\//i, "")
    .replace(/^[^/]*:/, "");
  const parts = path.split("/").filter((part) => part !== "");
  const at = parts.findIndex((part) => interesting(bare(part)));
  const found = at < 0 ? undefined : parts[at];
  if (found === undefined) return { kind: "other" };
  const owner = at > 0 ? parts[at - 1] : undefined;
  const name = owner === undefined ? bare(found) : `${owner}/${bare(found)}`;
  if (isRival(bare(found).toLowerCase())) return { kind: "rival", name };
  const foreign = OTHER_OWNERS.has((owner ?? "").toLowerCase());
  if (branch === BUILT_BRANCH && !foreign) return { kind: "ours", name };
  return { kind: bare(found).toLowerCase() === PACKAGE ? "older" : "other", name };
}

/** A repository's name without `.git`, a tarball's without its version and ending. */
function bare(part: string): string {
  return part.replace(/\.git$/i, "").replace(/(?:-v?\d[^/]*)?\.(?:tgz|tar\.gz)$/i, "");
}

function interesting(base: string): boolean {
  const name = base.toLowerCase();
  return name === PACKAGE || name === "opencode-multi-auth" || isRival(name);
}

function ofPath(spec: string, packageNameAt: PackageNameAt): PluginIdentity {
  const path = spec.startsWith("file://")
    ? decoded(spec.slice("file://".length)).replace(/^\/(?=[A-Za-z]:)/, "")
    : spec.replace(/^file:/, "");
  const declared = packageNameAt(path);
  if (declared !== undefined && known(ofPackage(declared)) !== undefined) {
    return ofPackage(declared);
  }
  const parts = path.split(/[\\/]/).filter((part) => part !== "");
  const file = parts.at(-1) ?? "";
  if (/\.(?:tgz|tar\.gz)$/i.test(file)) {
    const packed = bare(file).toLowerCase();
    if (packed === PACKAGE) return { kind: "ours", name: PACKAGE };
    if (packed.endsWith(`-${PACKAGE}`)) return { kind: "older", name: packed };
    if (isRival(packed)) return { kind: "rival", name: packed };
  }
  if (declared !== undefined) return { kind: "other", name: declared };
  // Nothing is there any more: a checkout that was moved or deleted. Ours ends in `npm/plugin.js`.
  const folder = parts.slice(0, -1).map((part) => part.toLowerCase());
  if (file === "plugin.js" && folder.some((part) => /^opencode-multi-auth(?:-|$)/.test(part))) {
    return { kind: "ours", name: PACKAGE };
  }
  const named = parts.findLast((part) => interesting(part));
  if (named === undefined) return { kind: "other" };
  if (isRival(named.toLowerCase())) return { kind: "rival", name: named };
  return { kind: named.toLowerCase() === PACKAGE ? "older" : "other", name: named };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
