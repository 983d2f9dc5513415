import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FALLBACK_LIMITS } from "../../src/core/policy.ts";
import { policyProblems } from "../../src/core/policy-words.ts";
import { decoded, MOST_POLICY_BYTES } from "../../src/guards/plain-file.ts";
import { openPolicies, type PolicySource, verified } from "../../src/guards/policies.ts";
import { readPolicyKeys } from "../../src/guards/policy-keys.ts";
import { openPolicyMemory } from "../../src/guards/policy-memory.ts";
import { checkPolicyPack } from "../../src/pipeline/policy-file.ts";
import { policy, put, signer } from "../support/policy.ts";
import { tempDir } from "../support/temp.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");

/** A machine, a user and a project, each with a folder. */
function world({ now = NOW, memory = tempDir("ccp-memory") } = {}) {
  const folders = { machine: tempDir("ccp-etc"), user: tempDir("ccp-config"), project: tempDir("ccp-project") };
  const keys = { machine: signer(), user: signer(), stranger: signer() };
  keys.machine.trustIn(folders.machine);
  keys.user.trustIn(folders.user);
  const [machineKeys, userKeys] = [join(folders.machine, "policy-keys"), join(folders.user, "policy-keys")];
  const fileOf = (place: keyof typeof folders) => join(folders[place], "policy.json");
  const sources: readonly PolicySource[] = [
    { place: "machine", path: fileOf("machine"), keyFolders: [machineKeys], memoryName: "machine" },
    { place: "user", path: fileOf("user"), keyFolders: [machineKeys, userKeys], memoryName: "user" },
    { place: "project", path: fileOf("project"), keyFolders: [machineKeys, userKeys], memoryName: "project-1" },
  ];
  const clock = { now };
  const open = () =>
    openPolicies({
      sources,
      readPack: checkPolicyPack,
      memory: openPolicyMemory(memory),
      providers: [],
      now: () => clock.now,
    });
  const policies = open();
  return {
    ...{ folders, keys, fileOf, clock, memory, policies, open },
    /** Puts a text where a policy is looked for; null: nothing. */
    set(place: keyof typeof folders, text: string | null) {
      if (text === null) return rmSync(fileOf(place));
      // Another inode each time, as an editor or a package manager makes it.
      put(`${fileOf(place)}.new`, text);
      renameSync(`${fileOf(place)}.new`, fileOf(place));
    },
    packs: () => policies.now().packs.map(({ place, standing, pack }) => [place, standing, pack?.version ?? null]),
    problems: () => policyProblems(policies.now()),
  };
}

const LIMITED = { models: { allow: ["anthropic/*"] } };

describe("policies that hold", () => {
  test("are those of machine, user and project together; where there is none, nothing is in force", () => {
    const { policies, set, keys, packs } = world();
    expect(policies.now()).toEqual({ packs: [], limits: [], refusedProviders: {} });
    set("machine", keys.machine.sign(policy({ name: "m", ...LIMITED })));
    set("user", keys.user.sign(policy({ name: "u", version: 4 })));
    set("project", keys.machine.sign(policy({ name: "p", tools: { deny: ["bash"] } })));
    expect(packs()).toEqual([
      ["machine", "valid", 1],
      ["user", "valid", 4],
      ["project", "valid", 1],
    ]);
    expect(policies.now().limits).toEqual([
      { policy: "policy m 1 (machine)", limits: LIMITED },
      { policy: "policy u 4 (user)", limits: {} },
      { policy: "policy p 1 (project)", limits: { tools: { deny: ["bash"] } } },
    ]);
    expect(policies.now()).toBe(policies.now());
  });

  test("are swapped when their file is another one, and gone with it", () => {
    const { set, keys, packs } = world();
    set("machine", keys.machine.sign(policy()));
    expect(packs()).toEqual([["machine", "valid", 1]]);
    set("machine", keys.machine.sign(policy({ version: 2 })));
    expect(packs()).toEqual([["machine", "valid", 2]]);
    set("machine", null);
    expect(packs()).toEqual([]);
  });

  test("follow the clock: from one instant on they hold, from another on next to nothing is allowed", () => {
    const { set, keys, packs, problems, clock, policies } = world();
    set(
      "user",
      keys.user.sign(policy({ expires: "2026-11-20T13:00:00Z", contact: "Ann <ann@acme.example>", ...LIMITED })),
    );
    expect(packs()).toEqual([["user", "valid", 1]]);
    clock.now = Date.parse("2026-11-20T12:59:59.999Z");
    expect(packs()).toEqual([["user", "valid", 1]]);
    clock.now += 1;
    expect(packs()).toEqual([["user", "expired", 1]]);
    expect(policies.now().limits.map(({ limits }) => limits)).toEqual([LIMITED, FALLBACK_LIMITS]);
    expect(problems()).toEqual([
      "policy acme 1 (user) expired at 2026-11-20T13:00:00Z: until there is a new one, nothing that costs money or writes is done; ask Ann <ann@acme.example>",
    ]);
  });
});

describe("a policy that is rejected", () => {
  const cases: readonly (readonly [string, (sign: ReturnType<typeof world>["keys"]) => string, string])[] = [
    ["signed by a stranger", ({ stranger }) => stranger.sign(policy()), "nobody here trusts the key that signed it"],
    [
      "signed by a key of the user's, for the machine",
      ({ user }) => user.sign(policy()),
      "nobody here trusts the key that signed it",
    ],
    [
      "with another's signature",
      ({ machine, stranger }) =>
        machine
          .sign(policy())
          .replace(/"signature":"[^"]*"/, /"signature":"[^"]*"/.exec(stranger.sign(policy()))?.[0] ?? ""),
      "its signature is not that of",
    ],
    [
      "changed after it was signed",
      ({ machine }) => machine.sign(policy({ version: 1 })).replace('"version":1', '"version":9'),
      "it was changed after it was signed",
    ],
    ["with an unknown field", ({ machine }) => machine.sign(policy({ modles: {} })), 'unknown key "modles"'],
    [
      "with an unknown field beside what is signed",
      ({ machine }) => machine.sign(policy()).replace('{"key_id"', '{"extra":1,"key_id"'),
      'unknown key "extra"',
    ],
    [
      "with a rule that allows",
      ({ machine }) => machine.sign(policy({ permissions: [{ tool: "bash", effect: "allow" }] })),
      "effect",
    ],
    [
      "with a tool that there is not",
      ({ machine }) => machine.sign(policy({ tools: { deny: ["bsah"] } })),
      'an item of "deny" must be',
    ],
    [
      "without an end",
      ({ machine }) => machine.sign({ name: "a", version: 1, not_before: "2020-01-01T00:00:00Z" }),
      "expires",
    ],
    [
      "that ends before it begins",
      ({ machine }) => machine.sign(policy({ expires: "2019-01-01T00:00:00Z" })),
      "it expires before it begins",
    ],
    [
      "of the 30th of February",
      ({ machine }) => machine.sign(policy({ expires: "2119-02-30T00:00:00Z" })),
      "expires is no date",
    ],
    [
      "with a key that is there twice",
      ({ machine }) => machine.sign(policy()).replace('"version":1', '"version":1,"version":1'),
      "it is not canonical JSON, or has a key twice",
    ],
    [
      "that is laid out by hand",
      ({ machine }) => JSON.stringify(JSON.parse(machine.sign(policy())), null, 2),
      "it is not canonical JSON",
    ],
    ["that is no JSON", () => "models: {}\n", "it is no JSON"],
    ["that is empty", () => "", "it is no JSON"],
    ["that is nested without end", () => "[".repeat(30_000), "it is no JSON"],
    [
      "that is too large",
      ({ machine }) => `${machine.sign(policy())}${" ".repeat(MOST_POLICY_BYTES)}`,
      "it is larger than 32768 bytes",
    ],
    [
      "that is not valid yet",
      ({ machine }) => machine.sign(policy({ not_before: "2026-11-20T12:00:01Z" })),
      "it does not hold before 2026-11-20T12:00:01Z",
    ],
  ];

  test.each(cases)("%s: the last good one stays, and it is said why", (_, bad, why) => {
    const { set, keys, packs, problems, policies } = world();
    set("machine", keys.machine.sign(policy({ name: "good", version: 3, ...LIMITED })));
    const good = policies.now().limits;
    set("machine", bad(keys));
    expect(packs()).toEqual([["machine", "kept", 3]]);
    expect(policies.now().limits).toEqual(good);
    expect(problems()).toEqual([expect.stringContaining(why)]);
    expect(problems()[0]).toMatch(
      /policy\.json was rejected: .*; policy good 3 \(machine\), the last good one, stays in force$/,
    );
  });

  test.each(cases)("%s, where there never was a good one: next to nothing is allowed", (_, bad) => {
    const { set, keys, packs, policies } = world();
    set("machine", bad(keys));
    expect(packs()).toEqual([["machine", "rejected", null]]);
    expect(policies.now().limits).toEqual([
      { policy: "the policy of the machine, which was rejected", limits: FALLBACK_LIMITS },
    ]);
  });

  test("whatever byte of it is another", () => {
    const { keys, folders } = world();
    const bytes = Buffer.from(keys.machine.sign(policy({ ...LIMITED, contact: "Zoë" })));
    const trusted = readPolicyKeys(join(folders.machine, "policy-keys")).keys;
    const judge = (changed: Uint8Array) => {
      const file = decoded(changed);
      return file.type === "missing" ? file : verified(file, "p", trusted, { readPack: checkPolicyPack });
    };
    expect(judge(bytes).type).toBe("verified");
    for (let at = 0; at < bytes.length - 1; at++) {
      const isOfSignature = at > bytes.length - 100;
      for (const bit of isOfSignature ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8]) {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(judge(changed).type, `byte ${at}, bit ${bit}`).toBe("unusable");
      }
    }
  });

  test("a symlink, a folder and a pipe: none of them is followed or waited for", () => {
    for (const make of [
      (path: string, good: string) => symlinkSync(good, path),
      (path: string) => mkdirSync(path),
      (path: string) => execFileSync("mkfifo", [path]),
    ]) {
      const { keys, fileOf, folders, packs, problems } = world();
      const good = join(folders.machine, "elsewhere.json");
      put(good, keys.machine.sign(policy()));
      make(fileOf("machine"), good);
      expect(packs()).toEqual([["machine", "rejected", null]]);
      expect(problems()[0]).toMatch(/it is a symlink|it is no regular file/);
    }
  });

  test("of a project: it restricts nothing, and that is said; next to nothing is allowed where somebody requires one", () => {
    const { set, keys, policies, problems, packs } = world();
    set("project", keys.stranger.sign(policy({ name: "p", ...LIMITED })));
    expect(packs()).toEqual([["project", "rejected", null]]);
    expect(policies.now().limits).toEqual([]);
    expect(problems()).toEqual([expect.stringMatching(/was rejected: nobody here trusts the key/)]);
    for (const place of ["user", "machine"] as const) {
      set(place, keys[place].sign(policy({ name: place, require: true })));
      expect(policies.now().limits.at(-1)?.limits).toBe(FALLBACK_LIMITS);
      set(place, null);
    }
    // Its own word for it counts for nothing.
    set("project", keys.stranger.sign(policy({ name: "p", require: true })));
    expect(policies.now().limits).toEqual([]);
  });
});

describe("versions", () => {
  test("go up: an older one is rejected, whoever kept it, and the highest stays in force", () => {
    const { set, keys, packs, problems, open, policies } = world();
    set("machine", keys.machine.sign(policy({ version: 7, ...LIMITED })));
    expect(packs()).toEqual([["machine", "valid", 7]]);
    set("machine", keys.machine.sign(policy({ version: 6 })));
    expect(packs()).toEqual([["machine", "kept", 7]]);
    expect(problems()).toEqual([
      expect.stringContaining("it is version 6 of acme, and version 7 was in force here already"),
    ]);
    // Another process, and another day.
    expect(open().now().limits).toEqual([{ policy: "policy acme 7 (machine)", limits: LIMITED }]);
    set("machine", keys.machine.sign(policy({ version: 8 })));
    expect(packs()).toEqual([["machine", "valid", 8]]);
    expect(policies.now().limits).toEqual([{ policy: "policy acme 8 (machine)", limits: {} }]);
  });

  test("with another content under the same number are rejected; signed once more they are the same", () => {
    const { set, keys, packs, problems } = world();
    set("machine", keys.machine.sign(policy({ version: 7, ...LIMITED })));
    packs();
    set("machine", keys.machine.sign(policy({ version: 7 })));
    expect(packs()).toEqual([["machine", "kept", 7]]);
    expect(problems()).toEqual([expect.stringContaining("what is changed needs a higher one")]);
    set("machine", keys.machine.sign(policy({ version: 7, ...LIMITED })));
    expect(packs()).toEqual([["machine", "valid", 7]]);
  });

  test("are counted by key and by name", () => {
    const { set, keys, packs } = world();
    set("user", keys.user.sign(policy({ version: 7 })));
    packs();
    set("user", keys.machine.sign(policy({ version: 2 })));
    expect(packs()).toEqual([["user", "valid", 2]]);
    set("user", keys.user.sign(policy({ name: "other", version: 1 })));
    expect(packs()).toEqual([["user", "valid", 1]]);
  });

  test("hold for every place in which the policy is: an old checkout of a project brings no older one", () => {
    const { set, keys, packs } = world();
    set("project", keys.user.sign(policy({ version: 7 })));
    packs();
    set("project", keys.user.sign(policy({ version: 3 })));
    expect(packs()).toEqual([["project", "kept", 7]]);
  });

  test("that were kept are verified again: a key that is no longer trusted, or a file that was changed, is no good one", () => {
    const { set, keys, packs, folders, memory } = world();
    set("machine", keys.machine.sign(policy({ version: 7, ...LIMITED })));
    packs();
    rmSync(join(folders.machine, "policy-keys"), { recursive: true });
    expect(packs()).toEqual([["machine", "rejected", null]]);
    keys.machine.trustIn(folders.machine);
    expect(packs()).toEqual([["machine", "valid", 7]]);
    for (const folder of ["last", join("versions", readdirSync(join(memory, "versions"))[0] ?? "")]) {
      for (const name of readdirSync(join(memory, folder))) {
        const path = join(memory, folder, name);
        writeFileSync(path, readFileSync(path, "utf8").replace("anthropic", "anthrobic"));
      }
    }
    set("machine", "{}");
    expect(packs()).toEqual([["machine", "rejected", null]]);
  });

  test("are remembered of what was in force alone, and never where that cannot be written", () => {
    const { set, keys, packs, memory, clock } = world();
    set("machine", keys.machine.sign(policy({ version: 9, not_before: "2027-01-01T00:00:00Z" })));
    expect(packs()).toEqual([["machine", "rejected", null]]);
    set("machine", keys.machine.sign(policy({ version: 5 })));
    expect(packs()).toEqual([["machine", "valid", 5]]);
    clock.now = NOW;
    const other = world({ memory: "/dev/null/none" });
    other.set("machine", other.keys.machine.sign(policy()));
    expect(other.packs()).toEqual([["machine", "valid", 1]]);
    expect(readdirSync(memory).sort()).toEqual(["last", "versions"]);
  });
});

describe("keys", () => {
  test("that are none are passed over, a private one among them", () => {
    const folder = tempDir("ccp-keys");
    const one = signer();
    put(join(folder, "a.pub"), one.shared);
    put(join(folder, "b.pub"), one.secret);
    put(join(folder, "c.pub"), "nonsense");
    put(
      join(folder, "d.pub"),
      generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "pem" }).toString(),
    );
    put(join(folder, "e.txt"), signer().shared);
    symlinkSync(join(folder, "a.pub"), join(folder, "f.pub"));
    const { keys, problems } = readPolicyKeys(folder);
    expect(keys.map(({ id }) => id)).toEqual([one.id]);
    expect(problems.map((problem) => problem.slice(folder.length + 1))).toEqual([
      "b.pub is no key: it holds no Ed25519 public key",
      "c.pub is no key: it holds no Ed25519 public key",
      "d.pub is no key: it holds no Ed25519 public key",
      "f.pub is no key: it is a symlink",
    ]);
  });
});
