import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type DoorOptions, type Doors, openDoors } from "../support/doors.ts";
import { git, makeRepository } from "../support/git.ts";
import { mockModels } from "../support/mock-models.ts";
import { ccpAt, footprint, type Site, site, siteAt } from "../support/proof.ts";
import { proveRefused, resultOf } from "../support/refusal.ts";
import { WORK } from "../support/scenario.ts";

const KEY = "sk-ant-refused-7Hq2mX9";
const DOER = "pipeline:\n  - role: doer\n";
const MODEL = "claude-sonnet-5";

function pipelineAt(on: Site, text: string = DOER): readonly string[] {
  writeFileSync(join(on.outside, "p.yaml"), text);
  return ["--pipeline", join(on.outside, "p.yaml")];
}

describe("credentials", () => {
  test("that are missing for the model that was named are asked for by name", async () => {
    const on = site();
    const argv = ["run", ...pipelineAt(on, `roles:\n  doer: { models: anthropic/${MODEL} }\n${DOER}`), "Do it."];
    await proveRefused(on, argv, {
      exit: 4,
      code: "missing_key",
      says: /provider "anthropic" has no key: ANTHROPIC_API_KEY is not set/,
      next: /set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN/,
    });
  });

  test("of which there are none at all are asked for, and the demo is offered", async () => {
    const on = site();
    await proveRefused(on, ["run", ...pipelineAt(on), "Do it."], {
      exit: 4,
      code: "no_model",
      says: /there is no model for doer: no provider has a key here/,
      next: /set ANTHROPIC_API_KEY.*ZHIPU_API_KEY.*ccp demo/,
    });
  });

  test("of a lane are never moved to another host by a file that came with the repository", async () => {
    const server = await countingServer();
    const said = `providers:\n  anthropic:\n    base_url: ${server.url}\n`;
    const on = siteAt(makeRepository({ ".ccp/providers.yaml": said }), { ANTHROPIC_API_KEY: KEY });
    const argv = ["run", ...pipelineAt(on), "Do it."];
    await proveRefused(on, argv, {
      exit: 4,
      code: "invalid_providers",
      says: /base_url points the key ANTHROPIC_API_KEY at 127\.0\.0\.1:\d+, which you have not allowed/,
      next: /trusted_hosts: \["127\.0\.0\.1:\d+"\]/,
    });
    for (const command of ["ping", "doctor", "plan"]) await ccpAt(on, command);
    expect(server.requests()).toBe(0);

    consent(on, server.url);
    const { code } = await ccpAt(on, ...argv, "--json");
    expect({ code, requests: server.requests() }).toEqual({ code: 4, requests: 1 });
  });

  test("that the provider refuses stop the run where it is: with a good key it goes on", async () => {
    const world = await wireWorld({
      refuse: (_door, earlier) =>
        earlier.length === 0
          ? {
              status: 401,
              body: '{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}',
            }
          : null,
    });
    const { on } = world;
    const before = footprint(on.root);
    const refused = await ccpAt(on, "run", ...pipelineAt(on), "--json", "Do it.");
    const result = resultOf(refused.stdout);
    expect(refused.code).toBe(4);
    expect(result).toMatchObject({ status: "blocked", exitCode: 4, costNanos: 0, heldNanos: 0 });
    expect(result.reason).toMatch(/invalid x-api-key|refused the key/);
    expect(result.next[0]).toMatch(/^ccp resume r-/);
    expect(world.doors.exchanges).toHaveLength(1);
    expect(refused.stdout + refused.stderr).not.toContain(KEY);

    const resumed = await ccpAt(on, "resume", "--json");
    expect(resultOf(resumed.stdout)).toMatchObject({ rid: result.rid, status: "succeeded", exitCode: 0 });
    expect(git(on.root, "show", `ccp/${result.rid}:hi.txt`)).toBe("hi\n");
    expect(footprint(on.root)).toEqual(before);
  });
});

describe("a provider that does not answer", () => {
  test("and says that it will not for a while is not asked again: the run stands still and can be resumed", async () => {
    const world = await wireWorld({
      refuse: (_door, earlier) =>
        earlier.length < 1
          ? {
              status: 503,
              headers: { "retry-after": "120" },
              body: '{"type":"error","error":{"type":"api_error","message":"down"}}',
            }
          : null,
    });
    const { on } = world;
    const down = await ccpAt(on, "run", ...pipelineAt(on), "--json", "Do it.");
    expect(down.code).toBe(6);
    expect(resultOf(down.stdout)).toMatchObject({ status: "provider_down", exitCode: 6, costNanos: 0, heldNanos: 0 });
    expect(world.doors.exchanges).toHaveLength(1);
    const resumed = await ccpAt(on, "resume", "--json");
    expect(resultOf(resumed.stdout)).toMatchObject({ status: "succeeded", exitCode: 0, lostCalls: 0 });
  });

  test("because nothing listens there is told with its address, and costs nothing", async () => {
    const url = await closedAddress();
    const on = siteAt(makeRepository(), { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: url });
    const { code, stdout, stderr } = await ccpAt(on, "run", ...pipelineAt(on), "--ui", "plain", "Do it.");
    expect(code).toBe(6);
    expect(stderr.match(/could not be reached at 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/g)?.length).toBeGreaterThan(2);
    expect(stdout).toMatch(/stopped, no provider answers[\s\S]*\$0\.00 of \$2\.00, 0 tokens[\s\S]*ccp resume r-/);
    expect(stdout + stderr).not.toContain(KEY);
  });
});

describe("a budget", () => {
  const withKey = () => siteAt(makeRepository(), { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: "http://127.0.0.1:9" });

  test.each([
    ["dollars", ["--budget", "0.001"], /may cost \$0\.\d+, and the doer has \$0\.0010/, /raise it with --budget/],
    ["no dollar at all", ["--budget", "0"], /may cost \$0\.\d+, and the doer has \$0\.00/, /raise it with --budget/],
    ["tokens", ["--tokens", "100"], /may cost \d+ tokens, and the doer has 100 tokens/, /raise it with --tokens/],
  ])("too small for the first call is refused before anything is sent: %s", async (_unit, flags, says, next) => {
    const on = withKey();
    const argv = ["run", ...pipelineAt(on), ...flags, "Do it."];
    await proveRefused(on, argv, { exit: 5, code: "budget_too_small", says, next });
  });

  test("in dollars cannot hold for a model without a price, so such a model is refused", async () => {
    const on = siteAt(makeRepository(), { ANTHROPIC_API_KEY: KEY });
    await proveRefused(on, ["run", ...pipelineAt(on), "--model", "doer=anthropic/unheard-of", "Do it."], {
      exit: 4,
      code: "unpriced_model",
      says: /the price of anthropic\/unheard-of \(doer\) is unknown/,
      next: /providers\.yaml, or a ceiling in tokens: --tokens/,
    });
  });
});

interface World {
  readonly on: Site;
  readonly doors: Doors;
}

/** A repository whose Anthropic lane leads through a door to a model that writes hi.txt and finishes. */
async function wireWorld(options: DoorOptions): Promise<World> {
  const mock = await mockModels([
    { model: MODEL, turn: 1, calls: [{ tool: "write", args: { path: "hi.txt", content: "hi\n" } }] },
    { model: MODEL, turn: 2, calls: [{ tool: "finish", args: WORK }] },
  ]);
  const doors = await openDoors(mock.url, ["anthropic"], options);
  onTestFinished(() => doors.close());
  const env = { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: doors.url("anthropic") };
  return { on: siteAt(makeRepository(), env), doors };
}

function consent(on: Site, url: string): void {
  const file = join(on.env.HOME ?? "", ".config", "ccp", "providers.yaml");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `trusted_hosts: ["${new URL(url).host}"]\n`);
}

/** Refuses every key, and counts who came. */
async function countingServer(): Promise<{ readonly url: string; requests(): number }> {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.writeHead(401, { "content-type": "application/json" }).end('{"error":{"message":"no"}}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => requests };
}

/** An address of which it is known that nobody listens there. */
async function closedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
