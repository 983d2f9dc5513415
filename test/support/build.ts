import { execFileSync } from "node:child_process";

/** The tests that drive the real `ccp` drive what users get: the built bundle. */
export function setup(): void {
  execFileSync("npm", ["run", "--silent", "build"], { stdio: ["ignore", "inherit", "ignore"] });
}
