import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { PermissionRule } from "../../src/core/permission.ts";
import { decide } from "../../src/core/permission-decision.ts";
import { tempDir } from "../support/temp.ts";

const RUNS = Number(process.env.CCP_SHELL_RUNS ?? 300);
/** A folder with an `npm` in it that says whether it was told to publish. */
function world() {
  const root = tempDir("ccp-shell");
  const [work, mark] = [join(root, "work"), join(root, "published")];
  mkdirSync(join(root, "bin"));
  writeFileSync(join(root, "bin", "npm"), `#!/bin/bash\n[[ "$1" == publish ]] && : > ${mark}\nexit 0\n`);
  chmodSync(join(root, "bin", "npm"), 0o755);
  const env = { PATH: `${join(root, "bin")}:/usr/bin:/bin` };
  return {
    /** True: the script calls `npm publish`, or makes the file `secrets/a`. */
    doesIt(script: string): boolean {
      rmSync(work, { recursive: true, force: true });
      rmSync(mark, { force: true });
      for (const folder of ["secrets", "docs"]) mkdirSync(join(work, folder), { recursive: true });
      spawnSync("bash", ["-c", script], { cwd: work, env, timeout: 5_000, stdio: "ignore" });
      return existsSync(mark) || existsSync(join(work, "secrets", "a"));
    },
  };
}

const FORBIDS = [
  { tool: "bash", effect: "deny", match: "npm publish *" },
  { tool: "write", effect: "deny", match: "secrets/**" },
] as const;
const ALLOWS = [
  { tool: "bash", effect: "allow", match: "echo *" },
  { tool: "bash", effect: "allow", match: "cd *" },
  { tool: "write", effect: "allow", match: "docs/**" },
] as const;
const isAllowed = (rules: readonly PermissionRule[], script: string) =>
  decide({ builtin: [], rules, tools: ["bash"] }, { tool: "bash", subjects: [script] }).effect === "allow";

const PIECES = [
  ..."npm publish np m pub lish secrets/a a docs echo true false cd eval bash -c env timeout 5 nohup command exec if then fi for x in do done while ! time case esac function f".split(
    " ",
  ),
  ..."; && || | & ( ) { } > >> < << <<< ' \" \\ $ ` $( ) ${ } $' $\" $(( )) (( )) [[ ]] = , * ? [ ] # E EOF .. / ~ - - x= ;; |& &> >| 2> >& <(".split(
    " ",
  ),
  ...[
    " ",
    " ",
    " ",
    "\n",
    "\t",
    "npm publish",
    "echo x > secrets/a",
    "x=publish",
    "$x",
    "npm $x",
    "<<E\n",
    "\nE\n",
    "bash -c '",
    "f() ",
    "{npm,publish}",
    "\\\n",
  ],
];

test("what bash comes to is never allowed", () => {
  const { doesIt } = world();
  const piece = fc.constantFrom(...PIECES);
  const script = fc.oneof(
    fc.array(piece, { minLength: 1, maxLength: 12 }).map((pieces) => `${pieces.join("")}npm publish`),
    fc.array(piece, { minLength: 1, maxLength: 12 }).map((pieces) => `${pieces.join(" ")} npm publish`),
    fc
      .tuple(fc.array(piece, { maxLength: 8 }), fc.array(piece, { maxLength: 8 }))
      .map(([a, b]) => `${a.join(" ")} npm publish ${b.join("")}`),
    fc
      .tuple(fc.array(piece, { maxLength: 8 }), fc.array(piece, { maxLength: 8 }))
      .map(([a, b]) => `${a.join("")} echo x > secrets/a${b.join(" ")}`),
  );
  fc.assert(
    fc.property(script, (text) => {
      if (isAllowed(FORBIDS, text) || isAllowed(ALLOWS, text)) expect(doesIt(text), JSON.stringify(text)).toBe(false);
    }),
    { numRuns: RUNS },
  );
}, 120_000);
