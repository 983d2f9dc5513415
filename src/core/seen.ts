/** A file as a conversation has seen it last: read whole or in part, written or edited. */
export interface SeenFile {
  /** From the worktree's root, `/` between segments. */
  readonly path: string;
  /** The sha256 of its bytes, hex. Not called so: that is what payloads of the journal are known by. */
  readonly digest: string;
}

/** What a conversation has last seen of files: sha256 by path. A file that changed since must be read again before it is changed. */
export type SeenFiles = Readonly<Record<string, string>>;

/** Later sights replace earlier ones. */
export function withSeen(seen: SeenFiles, files: readonly SeenFile[] | undefined): SeenFiles {
  if (files === undefined || files.length === 0) return seen;
  return { ...seen, ...Object.fromEntries(files.map(({ path, digest }) => [path, digest])) };
}
