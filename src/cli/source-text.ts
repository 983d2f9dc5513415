import { relative } from "node:path";
import type { ValueSource } from "../core/value-source.ts";
import type { Wiring } from "../wire/wire.ts";

/** Gives the words for where a value was said. A file is named from the repository's root, or from the user's home. */
export async function sourceTexts(wiring: Wiring): Promise<(source: ValueSource) => string> {
  const root = await wiring.repository().then(
    (repository) => repository.root,
    () => null,
  );
  const { home } = wiring.config;
  return (source) => {
    if (source.kind === "built-in") return "built-in";
    if (source.kind === "environment") return `environment: ${source.name}`;
    const { path, line } = source;
    if (root !== null && isInside(path, root)) return `${relative(root, path)}:${line}`;
    return isInside(path, home) ? `~/${relative(home, path)}:${line}` : `${path}:${line}`;
  };
}

function isInside(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}
