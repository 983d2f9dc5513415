import { describe, expect, test } from "vitest";
import type { PolicyOnRecord } from "../../src/core/event.ts";
import { newRun } from "../../src/core/run.ts";
import { policyLine, policyReport, policyText } from "../../src/ui/policy-lines.ts";

const pack = {
  place: "machine",
  standing: "valid",
  name: "acme",
  version: 7,
  keyId: "ed25519:00",
  digest: "abcdef0123456789",
  problem: null,
} as const;
const kept = { ...pack, standing: "kept", problem: "it is \u001b[31mred" } as const;
const recorded = (sha256: string, ...packs: PolicyOnRecord["packs"]): PolicyOnRecord => ({
  rules: { sha256, sizeBytes: 1 },
  packs,
});

describe("lines about policies", () => {
  test("name what holds, and nothing where nothing does", () => {
    expect(policyText(recorded("a", pack, { ...pack, place: "user", name: "own", version: 1 }))).toBe(
      "policy acme 7 (machine), own 1 (user)",
    );
    expect(policyText(recorded("a", { ...kept, name: null, version: null, standing: "rejected" }))).toBe(
      "policy of the machine REJECTED",
    );
    expect([policyText(null), policyText(undefined), policyText(recorded("a"))]).toEqual([null, null, null]);
  });

  test("say a change once, however many steps find it, and show no escape codes", () => {
    const policy = recorded("b", kept);
    const event = { type: "policy.changed", stepId: "two", policy } as const;
    const run = { ...newRun("r-1"), policies: { two: policy } };
    const said = policyLine(event, run);
    expect(said?.text).toMatch(/^! from here on policy acme 7 \(machine\) KEPT: it is /);
    expect(said?.text).not.toContain("\u001b");
    expect(policyLine(event, { ...run, policies: { one: policy, two: policy } })).toBeNull();
    expect(policyLine({ ...event, policy: recorded("c") }, run)?.text).toContain("no policy holds");
  });

  test("prove in a report which they were, each once", () => {
    const run = {
      ...newRun("r-1"),
      policy: recorded("a", pack),
      policies: { one: recorded("a", pack), two: recorded("b", kept) },
    };
    expect(policyReport(run)).toEqual([
      "policy acme 7 (machine), signed by ed25519:00, sha256 abcdef012345",
      expect.stringMatching(/^policy acme 7 \(machine\) KEPT, signed by ed25519:00, sha256 abcdef012345: it is /),
    ]);
  });
});
