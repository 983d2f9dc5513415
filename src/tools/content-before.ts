import type { FileOutcome, Workspace } from "../core/ports.ts";

/** What is at a path before something is written there. Null: nothing. What is there and cannot be read is a refusal. */
export async function contentBefore(path: string, workspace: Workspace): Promise<FileOutcome<Buffer | null>> {
  const file = await workspace.readFile(path);
  if (file.ok) return { ok: true, value: Buffer.from(file.value) };
  return file.isMissing ? { ok: true, value: null } : file;
}
