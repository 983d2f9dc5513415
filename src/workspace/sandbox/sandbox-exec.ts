import type { HeldProcess, SandboxDriver } from "./driver.ts";
import type { View } from "./views.ts";

/** sandbox-exec, on macOS. Written to its documentation and UNTESTED: ccp's authors have run it on no machine. */
export function sandboxExec(program: string): SandboxDriver {
  return {
    name: "sandbox-exec",
    program,
    argumentsFor: (held) => ["-p", profileOf(held), ...held.command],
  };
}

/**
 * Of all rules that match, the last decides. UNTESTED. It has no name spaces: processes and their environments are
 * kept apart by rules, and what is replaced elsewhere is only denied here.
 */
export function profileOf({ confinement, views }: HeldProcess): string {
  return [
    "(version 1)",
    "(deny default)",
    "(allow process-fork process-exec)",
    "(allow signal process-info* (target same-sandbox))",
    "(allow sysctl-read)",
    "(allow file-read*)",
    '(allow file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty") (subpath "/dev/fd"))',
    "(allow file-ioctl)",
    "(allow ipc-posix-sem ipc-posix-shm)",
    '(allow mach-lookup (global-name "com.apple.system.logger") (global-name "com.apple.system.opendirectoryd.libinfo"))',
    ...views.flatMap(rulesOf),
    ...networkRules(confinement.network === "open"),
    "",
  ].join("\n");
}

function rulesOf(view: View): readonly string[] {
  const place = `(subpath ${quoted(view.path)})`;
  switch (view.kind) {
    case "shown":
      return [`(allow file-read* ${place})`, `(deny file-write* ${place})`];
    case "writable":
      return [`(allow file-read* file-write* ${place})`];
    case "empty":
    case "blank":
      return [`(deny file-read* file-write* ${place})`];
    case "replaced":
      return [
        `(deny file-read* file-write* ${place})`,
        `(allow file-read* ${view.writable ? "file-write* " : ""}(subpath ${quoted(view.by)}))`,
      ];
  }
}

function networkRules(isOpen: boolean): readonly string[] {
  if (isOpen) return ["(allow network*)", "(allow system-socket)"];
  return ['(allow network* (local ip "localhost:*") (remote ip "localhost:*"))'];
}

function quoted(path: string): string {
  return `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
