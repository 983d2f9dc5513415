/** A file as a conversation has seen it last: read whole or in part, written or edited. */
export interface SeenFile {
  /** From the worktree's root, `/` between segments. */
  readonly path: string;
  /** Of its bytes, hex. */
  readonly sha256: string;
}

/** What a conversation has last seen of files: sha256 by path. A file that changed since must be read again before it is changed. */
export type SeenFiles = Readonly<Record<string, string>>;

/** Later sights replace earlier ones. */
export function withSeen(seen: SeenFiles, files: readonly SeenFile[] | undefined): SeenFiles {
  if (files === undefined || files.length === 0) return seen;
  return { ...seen, ...Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256])) };
}
