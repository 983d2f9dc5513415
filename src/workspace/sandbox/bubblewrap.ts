import type { HeldProcess, SandboxDriver } from "./driver.ts";
import type { View } from "./views.ts";

/** What a machine allows. */
export interface BubblewrapTraits {
  readonly program: string;
  /** Root in a container may need one; where there are none, root does without. */
  readonly userNamespace: boolean;
  /** Since 0.7 a directory in memory can have a size. */
  readonly sizes: boolean;
}

/** Bytes that each directory in memory may hold. The disk is watched; memory that is full takes the machine down. */
const MOST_MEMORY_BYTES = 1024 ** 3;

/**
 * Bubblewrap, on Linux: name spaces of its own for processes, mounts, network, IPC and host name. Nobody in it has a
 * capability or can get one, reaches ccp's terminal, or outlives ccp.
 */
export function bubblewrap({ program, userNamespace, sizes }: BubblewrapTraits): SandboxDriver {
  const inMemory = (path: string) => [...(sizes ? ["--size", String(MOST_MEMORY_BYTES)] : []), "--tmpfs", path];
  return {
    name: "bubblewrap",
    program,
    argumentsFor: (held) => [
      ...(userNamespace ? ["--unshare-user"] : []),
      ...["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
      ...(isOpen(held) ? [] : ["--unshare-net"]),
      ...["--new-session", "--die-with-parent", "--cap-drop", "ALL"],
      ...["--ro-bind", "/", "/", "--dev", "/dev", ...inMemory("/dev/shm"), "--proc", "/proc"],
      // Of a fresh /proc, root owns the switches of the whole machine.
      ...["--ro-bind-try", "/proc/sys", "/proc/sys", "--ro-bind-try", "/proc/sysrq-trigger", "/proc/sysrq-trigger"],
      ...held.views.flatMap((view) => (view.kind === "empty" ? inMemory(view.path) : mount(view))),
      ...["--chdir", held.cwd, "--"],
      ...held.command,
    ],
  };
}

/** Hosts by name are reached through a proxy, from a network with nothing in it. */
function isOpen({ confinement }: HeldProcess): boolean {
  return confinement.network === "open";
}

function mount(view: Exclude<View, { kind: "empty" }>): readonly string[] {
  switch (view.kind) {
    case "shown":
      return ["--ro-bind-try", view.path, view.path];
    case "writable":
      return ["--bind", view.path, view.path];
    case "blank":
      return ["--ro-bind", "/dev/null", view.path];
    case "replaced":
      return [view.writable ? "--bind" : "--ro-bind", view.by, view.path];
  }
}
