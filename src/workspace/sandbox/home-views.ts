import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { View } from "./views.ts";

/**
 * What begins with a dot in a home directory is a program's own, and may be keys: of these only toolchains and caches
 * are seen. A folder that nobody here has heard of is hidden.
 */
const TOOLCHAINS = [
  ".asdf .bun .cargo .deno .dotnet .fnm .g .gem .ghcup .gitconfig .goenv .gradle .hatch .jenv .juliaup .julia .m2",
  ".mise .n .nix-profile .nodenv .nvm .opam .nuget .phpenv .pub-cache .pyenv .rbenv .rustup .rvm .rye .sdkman .stack",
  ".swiftly .tool-versions .volta .wasmer .yarn .local/bin .local/lib .local/pipx .local/share/fnm .local/share/mise",
  ".local/share/pipx .local/share/pnpm .local/share/rtx .local/share/uv .local/share/virtualenvs .poetry .gvm .krew",
].flatMap((line) => line.split(" "));

/** Keys that lie among them. */
const SECRETS = [
  ...[".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials", ".m2/settings.xml"],
  ...[".m2/settings-security.xml", ".gradle/gradle.properties", ".gradle/init.gradle", ".nuget/NuGet", ".yarn/npm"],
  ...[".stack/config.yaml", ".pub-cache/credentials.json", ".dotnet/corefx"],
];

/** How a home directory is seen: what is written into it is gone with the process. */
export function homeViews(home: string): readonly View[] {
  const plain = names(home).filter((name) => !name.startsWith("."));
  const caches = names(join(home, ".cache")).map((name) => `.cache/${name}`);
  const shown = [...plain, ...TOOLCHAINS, ...caches].map((name) => join(home, name)).filter(isFileOrDirectory);
  const secrets = SECRETS.map((name) => join(home, name)).filter(isFileOrDirectory);
  return [
    { path: home, kind: "empty" },
    ...shown.map((path): View => ({ path, kind: "shown" })),
    ...secrets.map((path): View => ({ path, kind: isDirectory(path) ? "empty" : "blank" })),
  ];
}

/** False as well for what cannot be looked at. */
export function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** True for what may be shown: behind a socket there is a program with the user's rights. */
export function isFileOrDirectory(path: string): boolean {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats !== undefined && (stats.isFile() || stats.isDirectory());
  } catch {
    return false;
  }
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
