import { createHash } from "node:crypto";
import type { ToolPlace } from "../core/ports.ts";
import type { SeenFile } from "../core/seen.ts";

/**
 * How the bytes of a file stand to what the conversation knows of it. `changed`: a command, a formatter or a person made
 * it another since it was last seen, and what the model has in mind of it is no longer true.
 */
export type Sight = "current" | "changed" | "unseen";

type Where = Pick<ToolPlace, "workspace" | "session">;

/** Holds a file's bytes against what the conversation last saw under its path. */
export function sightOf({ workspace, session }: Where, path: string, bytes: Uint8Array): Sight {
  const name = pathFromRoot(workspace.path, path);
  if (!Object.hasOwn(session.seen, name)) return "unseen";
  return session.seen[name] === sha256(bytes) ? "current" : "changed";
}

/** The fact that a call has shown or made these bytes, for the result of the call. */
export function seenAs({ workspace }: Pick<ToolPlace, "workspace">, path: string, bytes: Uint8Array): SeenFile {
  return { path: pathFromRoot(workspace.path, path), digest: sha256(bytes) };
}

/** What a model is told that would change a file which is no longer what it saw. */
export function changedSince(path: string): string {
  return `${path} has changed since you last saw it: a command, a formatter or a person did that. Nothing was changed now; read it again first.`;
}

/** One name for a file, however it was written: from the root, without `.` and doubled slashes. */
export function pathFromRoot(root: string, path: string): string {
  const below = path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : path;
  return below
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".")
    .join("/");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
