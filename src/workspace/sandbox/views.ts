/**
 * How a confined process sees one path, and all below it for which there is no view of its own. What has none at all is
 * there to be read.
 */
export type View = {
  /** Absolute, symlinks resolved. */
  readonly path: string;
} & (
  | {
      /**
       * `shown`: to be read. `writable`: as it is. `empty`: a directory with nothing in it; what is written there is gone
       * with the process. `blank`: a file that cannot be read.
       */
      readonly kind: "shown" | "writable" | "blank";
    }
  | { readonly kind: "empty" }
  /** Another file or directory stands in its place. */
  | { readonly kind: "replaced"; readonly by: string; readonly writable: boolean }
);

/** A directory before what is in it; of two views of one path the later. */
export function inOrder(views: readonly View[]): readonly View[] {
  const byPath = new Map(views.map((view) => [view.path, view] as const));
  return [...byPath.values()].toSorted((a, b) => depth(a.path) - depth(b.path));
}

/** True when what is at this path cannot be seen for a view of something above it. */
export function isHidden(path: string, views: readonly View[]): boolean {
  const above = inOrder(views).findLast((view) => isWithin(path, view.path));
  return above !== undefined && above.kind !== "shown" && above.kind !== "writable";
}

/** True for a directory itself and everything below it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

function depth(path: string): number {
  return path === "/" ? 0 : path.split("/").length - 1;
}
