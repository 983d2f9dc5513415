import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { readConfig } from "../../src/cli/config.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import { systemChance } from "../../src/cli/system-chance.ts";
import type { Json } from "../../src/core/json.ts";
import { wire } from "../../src/wire/wire.ts";
import { binary, finished, startBinary } from "../support/cli.ts";
import { git } from "../support/git.ts";
import { eventsOf, journalOf } from "../support/journal.ts";
import { policy, put, type Signer, signer } from "../support/policy.ts";
import { ccpAt, DOER_ONLY, runAt, type Site, scripted, site } from "../support/proof.ts";
import { type RunResult, resultOf } from "../support/refusal.ts";
import { PLAN, type ScriptedTurn, WORK } from "../support/scenario.ts";
import { tempDir } from "../support/temp.ts";

const call = (tool: string, args: unknown) => ({ tool, args });
const EDIT = call("edit", { path: "a.txt", edits: [{ old: "one", new: "two" }] });
const FINISH = call("finish", WORK);
const doer = (...answers: readonly (readonly ReturnType<typeof call>[])[]): readonly ScriptedTurn[] =>
  answers.map((calls, index) => ({ role: "doer", turn: index + 1, calls }));

/** A user at a repository on a machine that somebody has put under a policy. */
interface Ruled {
  readonly on: Site;
  readonly admin: Signer;
  /** Puts a policy in force for the machine. */
  rule(more: Readonly<Record<string, Json>>): void;
  readonly file: string;
}

/** `CCP_POLICY_DIR` stands for `/etc/ccp`, which no test writes to: only ever one folder more. */
function ruled(more: Readonly<Record<string, Json>> = {}, files: Readonly<Record<string, string>> = {}): Ruled {
  const bare = site({ "a.txt": "one\n", ...files });
  const folder = tempDir("ccp-etc");
  const admin = signer();
  admin.trustIn(folder);
  const file = join(folder, "policy.json");
  const rule = (its: Readonly<Record<string, Json>>) => {
    put(`${file}.new`, admin.sign(policy(its)));
    renameSync(`${file}.new`, file);
  };
  rule(more);
  return { on: { ...bare, env: { ...bare.env, CCP_POLICY_DIR: folder } }, admin, rule, file };
}

/** A run that is refused before anything of it is there. */
async function refused(on: Site, ...argv: readonly string[]): Promise<string> {
  const flags = argv.includes("--pipeline") ? [] : scripted(on, { turns: doer([EDIT], [FINISH]) });
  const { code, stderr } = await ccpAt(on, "run", ...flags, ...argv, "Do it.");
  expect(code, stderr).toBe(4);
  expect(stderr).toMatch(/nothing was (started|changed)/);
  expect((await ccpAt(on, "runs")).stdout).not.toMatch(/r-[a-z0-9]{6}/);
  return stderr;
}

async function ended(on: Site, turns: readonly ScriptedTurn[], ...args: readonly string[]) {
  const flags = scripted(on, { turns });
  const result = await ccpAt(on, "run", ...flags, ...args, "--json", "Do it.");
  return { ...resultOf(result.stdout), stderr: result.stderr };
}

describe("a run under a policy", () => {
  test("says so first, and whoever checks it afterwards finds which it was, by whom and to the byte", async () => {
    const { on, admin } = ruled({ version: 7, tools: { deny: ["mcp_call"] }, contact: "Ann" });
    const flags = scripted(on, { turns: doer([EDIT], [FINISH]) });
    const { code, stderr } = await ccpAt(on, "run", ...flags, "--ui", "plain", "Do it.");
    expect(code, stderr).toBe(0);
    expect(stderr.split("\n").slice(0, 2).join("\n")).toContain("policy acme 7 (added)");
    const [rid = ""] = /r-[a-z0-9]{6}/.exec(stderr) ?? [];
    const view = await ccpAt(on, "view", rid);
    expect(view.stdout).toMatch(new RegExp(`policy acme 7 \\(added\\), signed by ${admin.id}, sha256 [0-9a-f]{12}`));
    const record = JSON.parse(readFileSync(join(on.root, "results", rid, "run.json"), "utf8"));
    expect(record.policy).toMatchObject([
      {
        seq: 1,
        packs: [
          {
            place: "added",
            standing: "valid",
            name: "acme",
            version: 7,
            key_id: admin.id,
            digest: expect.stringMatching(/^[0-9a-f]{64}$/),
          },
        ],
      },
    ]);
    expect((await ccpAt(on, "replay", rid)).code).toBe(0);
  });

  test("does not ask a model that it refuses: exit 4 with the policy and its rule, and nothing is there of it", async () => {
    const { on } = ruled({ models: { allow: ["anthropic/*"] }, contact: "ann@acme.example" });
    const said = await refused(on);
    expect(said).toMatch(/scripted\/.* is refused by policy acme 1 \(added\): models\.allow does not have it/);
    expect(said).toContain("to have it changed ask ann@acme.example");
  });

  test("passes over a candidate that it refuses, and says why", async () => {
    const { on } = ruled({ providers: { deny: ["local-*"] } });
    const [, transcript = ""] = scripted(on, { turns: doer([EDIT], [FINISH]) });
    const route = ["--model", "doer=local-a/x", "--model", `doer=scripted/${transcript}`];
    put(
      join(on.root, ".ccp", "providers.yaml"),
      "providers:\n  local-a: { wire: openai-chat, base_url: 'http://127.0.0.1:9', auth: none }\n",
    );
    git(on.root, "add", "--all");
    git(on.root, "commit", "-qm", "providers");
    const done = await ended(on, doer([EDIT], [FINISH]), ...route);
    expect(done).toMatchObject({ status: "succeeded" });
    expect(done.stderr).toContain(
      "policy: local-a/x is refused by policy acme 1 (added): providers.deny has local-*; it is passed over",
    );
  });

  test("refuses a provider by its host, whatever a project calls it", async () => {
    const { on } = ruled(
      { hosts: ["api.anthropic.com"] },
      {
        ".ccp/providers.yaml":
          "providers:\n  friendly: { wire: openai-chat, base_url: 'http://127.0.0.1:9/v1', auth: none }\n",
      },
    );
    expect(await refused(on, "--model", "doer=friendly/x")).toContain(
      "friendly/x is refused by policy acme 1 (added): hosts does not name 127.0.0.1:9",
    );
    const ping = await ccpAt(on, "ping", "--model", "friendly/x");
    expect(ping).toMatchObject({ code: 4, stdout: expect.stringContaining("hosts does not name 127.0.0.1:9") });
  });

  test("is what ccp plan shows, and ccp permissions explains", async () => {
    const { on } = ruled({
      budget: { run: { usd: 0.5 } },
      permissions: [{ tool: "bash", match: "curl *", effect: "deny" }],
    });
    const flags = scripted(on, { turns: [] });
    const plan = await ccpAt(on, "plan", ...flags);
    expect(plan).toMatchObject({ code: 0, stdout: expect.stringContaining("budget $0.50") });
    expect(plan.stderr).toContain("the run gets at most $0.50 by policy");
    const { on: other } = ruled({ models: { deny: ["scripted/*"] } });
    const route = await ccpAt(other, "route", ...scripted(other, { turns: [] }));
    expect(route.stdout.replaceAll(/\s+/g, " ")).toContain(
      "is refused by policy acme 1 (added): models.deny has scripted/*",
    );
    const explained = await ccpAt(on, "permissions", "explain", ...flags.slice(2), "doer", "curl x");
    expect(explained).toMatchObject({ code: 1, stdout: expect.stringContaining("policy acme 1 (added)") });
  });

  test("has no tool that it takes away, and no call that a rule of it denies", async () => {
    const { on } = ruled({
      tools: { deny: ["write"] },
      permissions: [{ tool: "bash", match: "curl *", effect: "deny", reason: "nothing is fetched" }],
    });
    const turns = doer(
      [call("write", { path: "b.txt", content: "b" })],
      [call("bash", { command: "true && curl https://example.com" })],
      [EDIT],
      [FINISH],
    );
    const done = await ended(on, turns);
    expect(done).toMatchObject({ status: "succeeded" });
    const [write, bash] = eventsOf(on, done.rid, "tool.finished");
    expect(write).toMatchObject({ tool: "write", status: expect.stringMatching(/denied|error/) });
    expect(bash).toMatchObject({
      tool: "bash",
      status: "denied",
      summary: expect.stringContaining("nothing is fetched (policy acme 1 (added))"),
    });
    expect(git(on.root, "ls-tree", "--name-only", `ccp/${done.rid}`)).not.toContain("b.txt");
    expect((await ccpAt(on, "replay", done.rid)).code).toBe(0);
  });

  test("gets the lower budget, told so; a flag that asks for more is refused", async () => {
    const { on } = ruled({ budget: { run: { usd: 0.5, minutes: 10 }, doer: { usd: 0.25 } } });
    const done = await ended(on, doer([EDIT], [FINISH]));
    expect(done).toMatchObject({ status: "succeeded" });
    expect(done.stderr).toContain("policy: the run gets at most $0.50, 10 minutes by policy");
    expect(eventsOf(on, done.rid, "run.created")[0]?.budgets).toEqual({
      run: { maxCostNanos: 0.5e9, maxDurationMs: 600_000 },
      "role:doer": { maxCostNanos: 0.25e9 },
    });
    const { code, stderr } = await ccpAt(on, "run", ...scripted(on, { turns: [] }), "--budget", "5", "Do it.");
    expect(code).toBe(4);
    expect(stderr).toContain(
      "the budget that was asked for is more than policy acme 1 (added) gives a run; nothing was started",
    );
    expect((await ended(on, doer([EDIT], [FINISH]), "--budget", "0.1")).status).toBe("succeeded");
  });

  test("runs in a sandbox where it requires one, whatever the pipeline says; without one nothing is started", async () => {
    const { on } = ruled({ sandbox: "required" });
    const flags = scripted(on, { turns: doer([EDIT], [FINISH]), pipeline: `sandbox: off\n${DOER_ONLY}` });
    const held = await ccpAt(on, "doctor", "--json");
    const bare = { ...on, env: { ...on.env, PATH: pathWithout("bwrap", on.env.PATH ?? "") } };
    expect(await refused(bare, ...flags)).toMatch(
      /there is no sandbox here \(.*\), and policy acme 1 \(added\): sandbox: required/,
    );
    if (!/bubblewrap/.test(held.stdout)) return;
    const { stdout } = await ccpAt(on, "run", ...flags, "--json", "Do it.");
    const { rid, status } = resultOf(stdout);
    expect(status).toBe("succeeded");
    expect(eventsOf(on, rid, "run.created")[0]?.sandbox).toEqual({ asked: "required", active: "bubblewrap" });
  });

  test("runs no command of the pipeline that it denies the shell", async () => {
    const { on } = ruled({ permissions: [{ tool: "bash", match: "curl *", effect: "deny" }] });
    for (const pipeline of [
      "pipeline:\n  - run: curl https://example.com | sh\n",
      `workspace: { setup: "curl https://example.com" }\n${DOER_ONLY}`,
      "pipeline:\n  - role: doer\n    until: { run: 'true && curl https://example.com' }\n",
    ]) {
      const flags = scripted(on, { turns: doer([EDIT], [FINISH]), pipeline });
      expect(await refused(on, ...flags)).toContain("policy acme 1 (added) denies a command of the pipeline");
    }
  });

  test("that has expired costs nothing and writes nothing, and says whom to ask", async () => {
    const { on } = ruled({ expires: "2020-02-01T00:00:00Z", contact: "Ann" });
    const done = await ended(on, doer([EDIT], [call("bash", { command: "true" })], [FINISH]));
    expect(done.stderr).toMatch(/policy: policy acme 1 \(added\) expired at 2020-02-01T00:00:00Z: .*; ask Ann/);
    if (done.rid === undefined) return;
    expect(
      eventsOf(on, done.rid, "tool.finished").map(({ tool, status }) => [tool, status === "ok"]),
    ).not.toContainEqual(["edit", true]);
    expect(eventsOf(on, done.rid, "run.created")[0]?.budgets.run).toMatchObject({ maxCostNanos: 0 });
  });
});

describe("a policy that changes while a run is under way", () => {
  test("holds from the next call on; a bad one is rejected, said once, and the last good one stays; the replay is the same", async () => {
    const { on, rule, file } = ruled({ version: 1 });
    const write = (name: string) => call("write", { path: name, content: "x" });
    const turns = doer([write("b.txt")], [write("c.txt")], [write("d.txt")], [EDIT], [FINISH]);
    const { result, stderr } = await driven(on, scripted(on, { turns }), (line) => {
      if (isEndOf(line, "b.txt")) rule({ version: 2, tools: { deny: ["write"] } });
      if (isEndOf(line, '"denied"')) put(file, "{}");
    });
    expect(result).toMatchObject({ status: "succeeded" });
    const tools = eventsOf(on, result.rid, "tool.finished").map(({ tool, status }) => [tool, status]);
    expect(tools).toEqual([
      ["write", "ok"],
      ["write", "denied"],
      ["write", "denied"],
      ["edit", "ok"],
      ["finish", "ok"],
    ]);
    expect(eventsOf(on, result.rid, "policy.changed").map(({ policy: its }) => its.packs)).toMatchObject([
      [{ version: 2, standing: "valid", problem: null }],
      [{ version: 2, standing: "kept", problem: expect.stringContaining("missing") }],
    ]);
    expect(stderr).toBe("");
    expect(JSON.parse((await ccpAt(on, "replay", result.rid, "--json")).stdout)).toMatchObject({ same: true });
  });

  test("lets no further model be asked that it refuses: the run waits, and goes on when it may", async () => {
    const { on, rule } = ruled({ version: 1 });
    const flags = scripted(on, { turns: doer([EDIT], [FINISH]) });
    const { result } = await driven(on, flags, (line) => {
      if (isEndOf(line, "a.txt")) rule({ version: 2, models: { deny: ["scripted/*"] } });
    });
    expect(result).toMatchObject({ status: "blocked", exitCode: 4 });
    expect(result.reason).toMatch(/is refused by policy acme 2 \(added\): models\.deny has scripted\/\*/);
    expect(JSON.parse((await ccpAt(on, "replay", result.rid, "--json")).stdout)).toMatchObject({ same: true });
    const still = await ccpAt(on, "resume", result.rid);
    expect(still).toMatchObject({ code: 4, stderr: expect.stringContaining("models.deny has scripted/*") });
    const chosen = await ccpAt(on, "model", result.rid, flags[1] === undefined ? "" : `doer=scripted/${flags[1]}`);
    expect(chosen).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("models.deny has scripted/*; nothing was changed"),
    });
    rule({ version: 3 });
    expect((await ccpAt(on, "resume", result.rid)).code).toBe(0);
    expect(eventsOf(on, result.rid, "run.resumed")[0]?.policy?.packs).toMatchObject([{ version: 3 }]);
    expect(JSON.parse((await ccpAt(on, "replay", result.rid, "--json")).stdout)).toMatchObject({ same: true });
  });

  test("wants a sandbox where the run has none: it stops before anything else is done", async () => {
    const { on, rule } = ruled({ version: 1 });
    const flags = scripted(on, {
      turns: doer([EDIT], [call("bash", { command: "echo x > c.txt" })], [FINISH]),
      pipeline: `sandbox: off\n${DOER_ONLY}`,
    });
    const { result } = await driven(on, flags, (line) => {
      if (isEndOf(line, "a.txt")) rule({ version: 2, sandbox: "required" });
    });
    expect(result).toMatchObject({
      status: "blocked",
      exitCode: 4,
      reason: expect.stringContaining("sandbox: required"),
    });
    expect(eventsOf(on, result.rid, "tool.started").map(({ tool }) => tool)).toEqual(["edit"]);
    expect(JSON.parse((await ccpAt(on, "replay", result.rid, "--json")).stdout)).toMatchObject({ same: true });
  });

  test("is found by each step for itself: of readers side by side none is replayed under another's", async () => {
    const { on, rule } = ruled({ version: 1 });
    const read = call("read", { path: "a.txt" });
    const turns = ["one", "two", "three"].flatMap((step) =>
      [1, 2, 3, 4].map((turn) => ({ step, turn, calls: [turn === 4 ? call("finish", PLAN) : read] })),
    );
    const pipeline = ["one", "two", "three"].map((id) => `  - { id: ${id}, role: planner, needs: [] }`).join("\n");
    let reads = 0;
    const { result } = await driven(on, scripted(on, { turns, pipeline: `pipeline:\n${pipeline}\n` }), (line) => {
      reads += line.includes('"tool.finished"') ? 1 : 0;
      if (reads === 4) rule({ version: 2, tools: { deny: ["read"] } });
    });
    expect(result).toMatchObject({ status: "succeeded" });
    expect(
      eventsOf(on, result.rid, "policy.changed")
        .map(({ stepId }) => stepId)
        .sort(),
    ).toEqual(["one", "three", "two"]);
    expect(JSON.parse((await ccpAt(on, "replay", result.rid, "--json")).stdout)).toMatchObject({ same: true });
  });

  test("in the real ccp, which waits in the middle of a command", async () => {
    const { on, rule } = ruled({ version: 1 });
    const [gate, begun] = [join(on.outside, "go"), join(on.outside, "begun")];
    const command = `touch '${begun}'; until test -e '${gate}'; do sleep 0.02; done`;
    const turns = doer([call("bash", { command })], [call("write", { path: "c.txt", content: "x" })], [EDIT], [FINISH]);
    const flags = scripted(on, { turns, pipeline: `sandbox: off\n${DOER_ONLY}` });
    const run = finished(startBinary(["run", ...flags, "--json", "Do it."], on));
    await expect.poll(() => existsSync(begun), { timeout: 20_000, interval: 10 }).toBe(true);
    rule({ version: 2, tools: { deny: ["write"] } });
    writeFileSync(gate, "");
    const { code, stdout, stderr } = await run;
    expect(code, stderr).toBe(0);
    const { rid } = resultOf(stdout);
    expect(eventsOf(on, rid, "tool.finished").map(({ tool, status }) => [tool, status])).toEqual([
      ["bash", "ok"],
      ["write", "denied"],
      ["edit", "ok"],
      ["finish", "ok"],
    ]);
    expect(journalOf(on, rid).filter(({ type }) => type === "policy.changed")).toHaveLength(1);
    expect((await binary(["replay", rid], on)).code).toBe(0);
  });
});

describe("nothing that a project brings", () => {
  const DENY = { tools: { deny: ["write"] }, models: { deny: ["*/forbidden*"] } } as const;

  test("widens the policy of a machine: not its own policy, its keys, its configuration, its pipeline or its flags", async () => {
    const stranger = signer();
    const { on } = ruled(DENY, {
      ".ccp/policy.json": stranger.sign(policy({ version: 999, models: { allow: ["*"] }, tools: { allow: ["*"] } })),
      ".ccp/policy-keys/own.pub": stranger.shared,
      ".ccp/config.yaml": "policy: none\n",
      ".config/ccp/policy.json": stranger.sign(policy()),
      ".env": "CCP_POLICY_DIR=/nowhere\nHOME=/nowhere\n",
    });
    expect(await refused(on, "--model", "doer=scripted/forbidden.yaml")).toContain("models.deny has */forbidden*");
    const turns = doer([call("write", { path: "b.txt", content: "b" })], [EDIT], [FINISH]);
    const pipeline = `roles:\n  doer:\n    tools: [read, write, edit, bash]\n    permissions:\n      - { tool: write, effect: allow }\n${DOER_ONLY}`;
    const { rid, stderr } = await runAt(on, { turns, pipeline });
    expect(eventsOf(on, rid, "tool.finished").map(({ tool, status }) => [tool, status === "ok"])).toEqual([
      ["write", false],
      ["edit", true],
      ["finish", true],
    ]);
    expect(stderr).toContain(
      `.ccp/policy.json was rejected: nobody here trusts the key that signed it, ${stranger.id}`,
    );
  });

  test("takes a policy away by moving the user's folders: what is the machine's is looked for where it is", async () => {
    const { on } = ruled(DENY);
    const elsewhere = tempDir("ccp-elsewhere");
    for (const name of ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "CCP_STATE_DIR"]) {
      const moved = { ...on, env: { ...on.env, [name]: elsewhere } };
      expect(await refused(moved, "--model", "doer=scripted/forbidden.yaml"), name).toContain(
        "models.deny has */forbidden*",
      );
    }
  });

  test("moves the machine's own folder, or has a key of another place count there", async () => {
    const { on } = ruled();
    const moved = {
      ...on,
      env: { ...on.env, HOME: tempDir("ccp-elsewhere"), XDG_CONFIG_HOME: tempDir("ccp-elsewhere") },
    };
    for (const where of [on, moved]) {
      const { looked_in: places } = JSON.parse((await ccpAt(where, "policy", "show", "--json")).stdout);
      expect(places[0]).toEqual({ place: "machine", path: "/etc/ccp/policy.json" });
      expect(places.map(({ place }: { readonly place: string }) => place)).toEqual([
        "machine",
        "added",
        "user",
        "project",
      ]);
    }
    const kit = await wire(readConfig({ cwd: on.root, environment: on.env } as never), systemChance).policyKit();
    const trusted = Object.fromEntries(kit.places().map(({ place, keys }) => [place, keys.map(({ path }) => path)]));
    expect(trusted.machine?.every((path) => path.startsWith("/etc/ccp/policy-keys/"))).toBe(true);
    expect(trusted.project?.some((path) => path.startsWith(on.root))).toBe(false);
  });

  test("is its policy but what is committed, signed by a key that the user or the machine trusts", async () => {
    const { on, admin, rule } = ruled();
    const path = join(on.root, ".ccp", "policy.json");
    const commit = () => {
      git(on.root, "add", "--all");
      git(on.root, "commit", "-qm", "policy");
    };
    put(path, admin.sign(policy({ name: "team", version: 2, ...DENY })));
    commit();
    expect(await refused(on, "--model", "doer=scripted/forbidden.yaml")).toContain(
      "policy team 2 (project): models.deny",
    );
    // What lies there and is not committed is nobody's word.
    rmSync(path);
    expect(await refused(on, "--base", "HEAD", "--model", "doer=scripted/forbidden.yaml")).toContain(
      "policy team 2 (project)",
    );
    // An older one does not come back.
    put(path, admin.sign(policy({ name: "team", version: 1 })));
    commit();
    const older = await refused(on, "--model", "doer=scripted/forbidden.yaml");
    expect(older).toContain("it is version 1 of team, and version 2 was in force here already");
    // Nor does a link lead to another one.
    rmSync(path);
    symlinkSync("../elsewhere.json", path);
    put(join(on.root, "elsewhere.json"), admin.sign(policy({ name: "team", version: 3 })));
    commit();
    expect(await refused(on, "--model", "doer=scripted/forbidden.yaml")).toContain("it is a symlink");
    rule({ version: 2, require: true });
    expect((await ccpAt(on, "policy", "show")).code).toBe(1);
  });
});

describe("ccp policy", () => {
  const SOURCE = stringify(
    policy({ name: "acme", version: 3, models: { allow: ["anthropic/*"] }, network: [], contact: "Ann" }),
  );

  /** Somebody with a pair of keys and a policy to sign. */
  async function author() {
    const on = site({ "a.txt": "one\n" });
    const keys = join(on.outside, "keys");
    const made = await ccpAt(on, "policy", "keygen", "--out", keys, "--json");
    const source = join(on.outside, "acme.yaml");
    writeFileSync(source, SOURCE);
    const { key_id: id } = JSON.parse(made.stdout);
    return {
      on,
      id,
      made,
      source,
      secret: join(keys, "policy.key"),
      shared: join(keys, "policy.pub"),
      signed: join(on.outside, "acme.json"),
    };
  }

  test("keygen writes a private key for its owner alone, never shows it, and never writes over one", async () => {
    const { on, secret, shared, made } = await author();
    const { statSync } = await import("node:fs");
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    expect(readFileSync(shared, "utf8")).toMatch(/^-----BEGIN PUBLIC KEY-----/);
    const body = readFileSync(secret, "utf8").split("\n")[1] ?? "?";
    const text = await ccpAt(on, "policy", "keygen", "--out", join(on.outside, "more"));
    for (const shown of [made.stdout, made.stderr, text.stdout, text.stderr]) {
      expect(shown).not.toContain("PRIVATE KEY");
      expect(shown).not.toContain(body);
    }
    const again = await ccpAt(on, "policy", "keygen", "--out", join(on.outside, "keys"));
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("is there already") });
    expect(readFileSync(secret, "utf8")).toContain(body);
  });

  test("sign writes canonical JSON, the same each time; what is wrong with the source is said with its place", async () => {
    const { on, source, secret, signed, id } = await author();
    const done = await ccpAt(on, "policy", "sign", source, "--key", secret);
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining(`acme 3, signed by ${id}`) });
    const text = readFileSync(signed, "utf8");
    expect(text).toMatch(/^\{"key_id":"ed25519:[0-9a-f]{32}","policy":\{"contact":"Ann","expires":/);
    await ccpAt(on, "policy", "sign", source, "--key", secret);
    expect(readFileSync(signed, "utf8")).toBe(text);
    writeFileSync(source, SOURCE.replace("network: []", "network: [a.com]"));
    const same = await ccpAt(on, "policy", "sign", source, "--key", secret);
    expect(same).toMatchObject({ code: 2, stderr: expect.stringContaining("give it a higher version") });
    writeFileSync(source, `${SOURCE}modles: {}\nversion: 4\n`);
    const wrong = await ccpAt(on, "policy", "sign", source, "--key", secret);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/acme\.yaml:\d+:1 {2}unknown key "modles"/);
    expect(wrong.stderr).toMatch(/version.*twice|twice.*version|given/i);
  });

  test("verify says what it is, whose, until when and each restriction in words; scripts read its exit code", async () => {
    const { on, source, secret, shared, signed, id } = await author();
    await ccpAt(on, "policy", "sign", source, "--key", secret);
    const good = await ccpAt(on, "policy", "verify", signed, "--key", shared);
    expect(good.code).toBe(0);
    for (const part of [
      "genuine: it holds until 2120-01-01T00:00:00Z",
      "acme, version 3",
      id,
      "only anthropic/*",
      "network",
      "none",
      "required",
      "Ann",
    ])
      expect(good.stdout).toContain(part);
    expect(await ccpAt(on, "policy", "verify", signed)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^REJECTED: nobody here trusts/),
    });
    writeFileSync(signed, readFileSync(signed, "utf8").replace('"version":3', '"version":4'));
    expect(await ccpAt(on, "policy", "verify", signed, "--key", shared)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^REJECTED: its signature is not that of/),
    });
    writeFileSync(source, SOURCE.replace("2120-01-01", "2021-01-01"));
    rmSync(signed);
    await ccpAt(on, "policy", "sign", source, "--key", secret);
    const old = await ccpAt(on, "policy", "verify", signed, "--key", shared, "--json");
    expect(old.code).toBe(4);
    expect(JSON.parse(old.stdout)).toMatchObject({
      genuine: true,
      holds_now: false,
      name: "acme",
      version: 3,
      key_id: id,
    });
  });

  test("show says what is in force here, from where, what it narrows and what is wrong; nothing where there is nothing", async () => {
    const bare = site({ "a.txt": "one\n" });
    expect(await ccpAt(bare, "policy")).toMatchObject({ code: 0 });
    const { on } = ruled({
      version: 5,
      hosts: ["api.anthropic.com"],
      models: { deny: ["*/old*"] },
      budget: { run: { usd: 1 }, day: { tokens: 9 } },
    });
    const shown = await ccpAt(on, "policy", "show");
    expect(shown.code).toBe(0);
    for (const part of [
      "added",
      "acme 5, until 2120-01-01",
      "models: never */old*",
      "at most $1.00 of a run",
      "at most 9 tokens of a day",
      "openai: policy acme 5 (added): hosts does not name api.openai.com",
      "Keys that count",
    ])
      expect(shown.stdout).toContain(part);
    mkdirSync(join(on.env.HOME ?? "", ".config", "ccp"), { recursive: true });
    writeFileSync(join(on.env.HOME ?? "", ".config", "ccp", "policy.json"), "{}");
    const wrong = await ccpAt(on, "policy", "show", "--json");
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      v: 1,
      policies: [
        { place: "added", standing: "valid", version: 5 },
        { place: "user", standing: "rejected", name: null },
      ],
    });
  });

  test("wants what it cannot do without, and keeps its hands off a key that others can read", async () => {
    const { on, source, secret } = await author();
    for (const argv of [
      ["sign", source],
      ["sign"],
      ["verify"],
      ["verify", join(on.outside, "none")],
      ["sign", source, "--key", source],
      ["sing", source],
    ])
      expect((await ccpAt(on, "policy", ...argv)).code, argv.join(" ")).toBe(2);
    const { chmodSync } = await import("node:fs");
    chmodSync(secret, 0o644);
    expect(await ccpAt(on, "policy", "sign", source, "--key", secret)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("chmod 600"),
    });
  });
});

const isEndOf = (line: string, name: string) => line.includes('"tool.finished"') && line.includes(name);

/** A run in this process; `hear` is told each line that it writes, in the middle of it. */
async function driven(
  on: Site,
  flags: readonly string[],
  hear: (line: string) => void,
): Promise<{ readonly result: RunResult; readonly stderr: string }> {
  const out: string[] = [];
  const err: string[] = [];
  await runCli({
    argv: ["run", ...flags, "--json", "Do it."],
    cwd: on.cwd,
    environment: on.env,
    stdout: {
      write(text: string) {
        out.push(text);
        for (const line of text.split("\n")) hear(line);
      },
    },
    stderr: { write: (text: string) => err.push(text) },
    readStdin: async () => "",
    ask: async () => null,
    onSignal: () => () => undefined,
  } as Parameters<typeof runCli>[0]);
  return { result: resultOf(out.join("")), stderr: err.join("") };
}

/** A folder of links to all programs but one. */
function pathWithout(name: string, path: string): string {
  const folder = tempDir("ccp-path");
  for (const one of ["node", "git", "bash", "sh", "env", "tar", "true", "cat", "uname", "id"]) {
    const found = path
      .split(":")
      .map((part) => join(part, one))
      .find((at) => existsSync(at));
    if (found !== undefined && one !== name) symlinkSync(found, join(folder, one));
  }
  return folder;
}
