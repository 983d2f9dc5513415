import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemChance } from "../../src/cli/system-chance.ts";
import type { Confinement } from "../../src/core/confinement.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { Json } from "../../src/core/json.ts";
import { NO_POLICY } from "../../src/core/policy.ts";
import type { Repository, ToolServers, Workspace } from "../../src/core/ports.ts";
import { NO_SERVERS } from "../../src/core/tool-servers.ts";
import { onRecord } from "../../src/engine/policy.ts";
import { RunLog } from "../../src/engine/run-log.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { runCreated } from "../support/events.ts";
import { policy, put, signer } from "../support/policy.ts";
import { listener, RED_PROJECT, type ScriptedTurn, scenario, WORK } from "../support/scenario.ts";
import { tempDir } from "../support/temp.ts";

const call = (tool: string, args: unknown) => ({ tool, args });
const FIX = call("edit", { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] });
const doer = (...answers: readonly (readonly ReturnType<typeof call>[])[]): readonly ScriptedTurn[] =>
  answers.map((calls, index) => ({ role: "doer", turn: index + 1, calls }));

/** A scenario on a machine with this policy. */
function under(its: Readonly<Record<string, Json>>, options: Parameters<typeof scenario>[0]) {
  const folder = tempDir("ccp-etc");
  const admin = signer();
  admin.trustIn(folder);
  put(join(folder, "policy.json"), admin.sign(policy(its)));
  return scenario({ files: RED_PROJECT, ...options, env: { CCP_POLICY_DIR: folder } });
}

/** Notes what every process is held to, and lets it run unheld. */
function noting(repository: Repository, noted: (Confinement | undefined)[]): Repository {
  const open = (workspace: Workspace): Workspace => ({
    ...workspace,
    run({ confinement, ...request }) {
      noted.push(confinement);
      return workspace.run(request);
    },
    openJobs(begun) {
      const jobs = workspace.openJobs(begun);
      return {
        ...jobs,
        run({ confinement, ...request }, patienceMs) {
          noted.push(confinement);
          return jobs.run(request, patienceMs);
        },
      };
    },
  });
  return { ...repository, openWorkspace: (rid, path) => open(repository.openWorkspace(rid, path)) };
}

describe("under a policy", () => {
  test("no process reaches what the policy does not name, whatever the pipeline gives it", async () => {
    const pipeline = `workspace: { setup: "true" }
roles:
  doer: { network: ["*.npmjs.org", evil.example] }
pipeline:
  - role: doer
  - { run: "true", network: open }
  - { id: local, run: "true" }
`;
    const world = under(
      { network: ["registry.npmjs.org", "pypi.org"] },
      {
        pipeline,
        turns: doer([call("bash", { command: "true" }), FIX], [call("finish", WORK)]),
      },
    );
    const noted: (Confinement | undefined)[] = [];
    const engine = await world.engine({ sandbox: "bubblewrap", repository: (one) => noting(one, noted) });
    const run = await engine.start(await world.spec(), listener());
    expect(run.status).toBe("succeeded");
    expect(run.created?.sandbox).toEqual({ asked: "required", active: "bubblewrap" });
    expect(noted.map((one) => one?.network)).toEqual([
      // The set-up, for which everything is usual; the doer; the step that wants everything; the one that wants nothing.
      ["registry.npmjs.org", "pypi.org"],
      ["registry.npmjs.org"],
      ["registry.npmjs.org", "pypi.org"],
      "none",
    ]);
  });

  test("a run for which there is no sandbox does not begin its first step", async () => {
    const world = under({ sandbox: "required" }, { turns: doer([FIX], [call("finish", WORK)]) });
    const engine = await world.engine({ sandbox: "none" });
    const run = await engine.start(await world.spec(), listener());
    expect(run).toMatchObject({
      status: "blocked",
      end: { exitCode: 4, reason: "there is no sandbox here, and policy acme 1 (added): sandbox: required" },
    });
    expect(engine.store.events(run.rid).map(({ type }) => type)).toEqual(["run.created", "run.ended"]);
  });

  test("a server that is refused is never started; its tools are told to be refused, and refused", async () => {
    const pipeline = `mcp:
  tickets: { command: [tickets], timeout: 5s }
  docs: { command: [docs], timeout: 5s }
roles:
  doer: { mcp: [tickets, docs] }
pipeline:
  - role: doer
`;
    const world = under(
      { servers: { deny: ["tick*"] } },
      {
        pipeline,
        turns: doer([call("mcp_call", { tool: "tickets/close", arguments: {} })], [FIX, call("finish", WORK)]),
      },
    );
    const opened: string[] = [];
    const servers: ToolServers = {
      open(all) {
        opened.push(...all.map(({ name }) => name));
        return NO_SERVERS;
      },
    };
    const engine = await world.engine({ servers });
    const run = await engine.start(await world.spec(), listener());
    expect(run.status).toBe("succeeded");
    expect(opened).toEqual(["docs"]);
    const text = (ref: { readonly sha256: string; readonly sizeBytes: number }) =>
      new TextDecoder().decode(engine.store.blob(ref));
    const events = engine.store.events(run.rid);
    const begun = ofType(events, "step.started")[0];
    expect(begun?.prompt && text(begun.prompt)).toContain(
      "it is refused by policy acme 1 (added): servers.deny has tick*",
    );
    const [refused] = ofType(events, "tool.finished");
    expect(refused).toMatchObject({ tool: "mcp_call", status: "denied" });
    expect(refused && text(refused.result)).toMatch(
      /^Denied: mcp_call was not run: policy acme 1 \(added\): servers\.deny has tick\*\./,
    );
  });

  test.each<[string, Readonly<Record<string, Json>>, RegExp]>([
    ["of a run", { budget: { run: { tokens: 600 } } }, /and 600 tokens is left of what policy acme 1 \(added\) gives/],
    [
      "of a role",
      { budget: { doer: { tokens: 600 } } },
      /and 600 tokens is left of what policy acme 1 \(added\) gives/,
    ],
    [
      "of a day",
      { budget: { day: { tokens: 600 } } },
      /is left of the ceiling for this day of policy acme 1 \(added\)/,
    ],
  ])("a ceiling %s stops a run as one of the user's does: no raise is offered", async (_, its, reason) => {
    const world = under(its, { turns: doer([FIX], [call("finish", WORK)]), pipeline: "pipeline:\n  - role: doer\n" });
    const engine = await world.engine();
    const run = await engine.start(await world.spec(), listener());
    expect(run).toMatchObject({ status: "budget_reached", end: { exitCode: 5, hint: `ccp resume ${run.rid}` } });
    expect(run.end?.reason).toMatch(reason);
    expect(run.spend.run).toBeUndefined();
  });

  test("an engine raises no ceiling above it, whoever asks", async () => {
    const world = under(
      { budget: { run: { tokens: 600 } } },
      { turns: doer([FIX]), pipeline: "pipeline:\n  - role: doer\n" },
    );
    const engine = await world.engine();
    const { rid } = await engine.start(await world.spec(), listener());
    const changes = { budget: { maxTokens: 1_000_000 }, routes: {}, pipeline: null };
    const run = await engine.resume(rid, changes, listener());
    expect(run.budgets.run).toMatchObject({ maxTokens: 600 });
    expect(run.status).toBe("budget_reached");
  });

  test("a command that it denies by now is not run: the run waits", async () => {
    const pipeline = "pipeline:\n  - role: doer\n  - { id: fetch, run: curl https://example.com }\n";
    const world = under(
      { permissions: [{ tool: "bash", match: "curl *", effect: "deny" }] },
      {
        pipeline,
        turns: doer([FIX, call("finish", WORK)]),
      },
    );
    const engine = await world.engine();
    const run = await engine.start(await world.spec(), listener());
    expect(run).toMatchObject({ status: "blocked", end: { exitCode: 4 } });
    expect(run.end?.reason).toContain(
      'policy acme 1 (added) denies a command of the pipeline: the rule deny bash "curl *"',
    );
    expect(ofType(engine.store.events(run.rid), "command.started")).toEqual([]);
  });
});

function ofType<T extends StoredEvent["type"]>(events: readonly StoredEvent[], type: T) {
  return events.filter((event): event is Extract<StoredEvent, { type: T }> => event.type === type);
}

test("what is on record of a policy is what decides, though a part of it is a secret's value", () => {
  const store = new SqliteStore(tempDir("ccp-journal"));
  onTestFinished(() => store.close());
  store.create("r-secret", [runCreated("r-secret")], 0);
  const log = new RunLog("r-secret", 1, {
    store,
    chance: systemChance,
    publish: () => undefined,
    secrets: ["gw-denied"],
  });
  const denied = {
    ...NO_POLICY,
    limits: [{ policy: "policy acme 1", limits: { providers: { deny: ["gw-denied"] } } }],
  };
  const { rules } = onRecord({ bytes: (bytes) => log.bytes(bytes) }, denied);
  expect(log.readJson(rules)).toEqual(denied);
});
