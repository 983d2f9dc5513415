import { spawnSync } from "node:child_process";
import { isExecutable } from "../executable.ts";
import { bubblewrap } from "./bubblewrap.ts";
import type { SandboxDriver } from "./driver.ts";
import { sandboxExec } from "./sandbox-exec.ts";

/** What was found to hold processes with, or why nothing was. */
export type FoundSandbox =
  | { readonly driver: SandboxDriver; readonly detail: string }
  /** `hint`: what a person can do about it. */
  | { readonly driver: null; readonly detail: string; readonly hint: string };

/** A machine that takes longer to start a process is in no state to hold one. */
const PROBE_TIMEOUT_MS = 10_000;
/** Where systems keep their own programs: before all others of the search path, which a project may have added to. */
const SYSTEM_PROGRAMS = ["/usr/bin", "/bin", "/usr/local/bin", "/run/current-system/sw/bin"];

const known = new Map<string, FoundSandbox>();

/** Looks for a sandbox by running one, once a process and search path: a few milliseconds. */
export function findSandbox(
  environment: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): FoundSandbox {
  const searchPath = environment.PATH ?? "";
  const key = `${platform} ${searchPath}`;
  const found = known.get(key) ?? probe(searchPath, platform);
  known.set(key, found);
  return found;
}

function probe(searchPath: string, platform: NodeJS.Platform): FoundSandbox {
  if (platform === "linux") return probeBubblewrap(findProgram("bwrap", searchPath));
  if (platform === "darwin") return probeSandboxExec(findProgram("sandbox-exec", searchPath));
  return { driver: null, detail: `none for ${platform}`, hint: "run ccp in a container or a virtual machine" };
}

function probeBubblewrap(program: string | null): FoundSandbox {
  const hint = "install it: apt-get install bubblewrap, dnf install bubblewrap, apk add bubblewrap";
  if (program === null) return { driver: null, detail: "bubblewrap is not installed", hint };
  const complaints: string[] = [];
  for (const traits of TRAITS) {
    const driver = bubblewrap({ program, ...traits });
    const complaint = complaintOf(driver);
    if (complaint === null) return { driver, detail: `bubblewrap (${program})` };
    complaints.push(complaint);
  }
  return {
    driver: null,
    detail: `bubblewrap does not work here: ${complaints[0]}`,
    hint: "the system forbids name spaces: allow unprivileged user namespaces, or give the container --cap-add SYS_ADMIN or a seccomp profile that has them",
  };
}

/** The best first. */
const TRAITS = [true, false].flatMap((sizes) => [true, false].map((userNamespace) => ({ sizes, userNamespace })));

function probeSandboxExec(program: string | null): FoundSandbox {
  const hint = "run ccp in a virtual machine";
  if (program === null) return { driver: null, detail: "sandbox-exec is not there", hint };
  const driver = sandboxExec(program);
  const complaint = complaintOf(driver);
  if (complaint === null) return { driver, detail: `sandbox-exec (${program}), untested by ccp's authors` };
  return { driver: null, detail: `sandbox-exec does not work here: ${complaint}`, hint };
}

/** Runs the strictest sandbox there is around nothing; null: it works. */
function complaintOf(driver: SandboxDriver): string | null {
  const confinement = { writes: "none", network: "none" } as const;
  const args = driver.argumentsFor({ confinement, views: [], cwd: "/", command: ["/bin/sh", "-c", "exit 0"] });
  const result = spawnSync(driver.program, args, {
    cwd: "/",
    env: {},
    encoding: "utf8",
    timeout: PROBE_TIMEOUT_MS,
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (result.status === 0) return null;
  return (result.error?.message ?? result.stderr.trim().split("\n", 1)[0]) || "it does not say why";
}

function findProgram(name: string, searchPath: string): string | null {
  const entries = searchPath.split(":").filter((entry) => entry.startsWith("/"));
  const ranked = [...SYSTEM_PROGRAMS.filter((entry) => entries.includes(entry)), ...entries];
  const found = ranked.find((entry) => isExecutable(`${entry}/${name}`));
  return found === undefined ? null : `${found}/${name}`;
}
