import childProcess, { ChildProcess } from "node:child_process";
import { basename } from "node:path";
import { around, hit } from "./hit.ts";

interface Prototype {
  spawn(options: { readonly file: string; readonly args?: readonly string[] }): number;
}

/** Every child: before it is started, while it runs, once it has ended. Git by its subcommand, the rest by what it is. */
export function installProcessPoints(): void {
  const prototype = ChildProcess.prototype as unknown as Prototype;
  const { spawn } = prototype;
  prototype.spawn = function (this: ChildProcess, options) {
    const name = nameOf(options.file, (options.args ?? []).slice(1));
    hit(`${name}.before`);
    // First of all listeners: nobody has heard of the end yet.
    this.prependOnceListener("exit", () => hit(`${name}.after`));
    const result = spawn.call(this, options);
    hit(`${name}.during`);
    return result;
  };
  const { execFileSync } = childProcess;
  childProcess.execFileSync = ((file: string, args: readonly string[], ...rest: unknown[]) =>
    around(nameOf(file, args), () =>
      (execFileSync as (...given: unknown[]) => unknown)(file, args, ...rest),
    )) as typeof execFileSync;
}

function nameOf(file: string, args: readonly string[]): string {
  const program = basename(file);
  if (program === "git") return `git.${subcommandOf(args)}`;
  // Held by a sandbox or not.
  return args[0] === "-c" || program === "bwrap" ? "command" : program;
}

/** What stands after git's own options; `-c` takes a value. */
function subcommandOf(args: readonly string[]): string {
  const at = args.findIndex((arg, index) => !arg.startsWith("-") && args[index - 1] !== "-c");
  return args[at] ?? "unknown";
}
