import { expect, test } from "vitest";
import { omissionIn } from "../../src/tools/placeholder.ts";

test.each([
  "// ... rest of code ...",
  "// existing code",
  "// ... existing code ...",
  "    # ... rest of the function unchanged ...",
  "# rest of the file remains the same",
  "/* ... rest of the code ... */",
  "<!-- existing content -->",
  "{/* ... existing imports ... */}",
  "... rest of code ...",
  "// (rest of methods unchanged)",
  "// The rest of the implementation goes here",
  "-- remaining code here",
  "// Other methods remain unchanged...",
  "// … unchanged …",
  "# keep existing code",
  "// rest of the code remains unchanged.",
])("%j stands for code that was left out", (line) => {
  expect(omissionIn(`before\n${line}\nafter`, "")).toBe(line.trim());
});

test.each([
  "// The rest of the arguments go to the child",
  "// existing code paths keep working because the flag is off",
  "return { ...rest };",
  "fn(...args);",
  "...",
  "# ...",
  "pass  # unchanged behaviour for callers",
  "existing code",
  'throw new Error("rest of code");',
  "const rest = tail;",
  "// See the code below",
  "* Everything here is tested.",
])("%j is code or a comment like any other", (line) => {
  expect(omissionIn(`before\n${line}\nafter`, "")).toBeNull();
});

test("a line that was in the text already may stay", () => {
  expect(omissionIn("a\n  // existing code\n", "x\n// existing code\n")).toBeNull();
});
