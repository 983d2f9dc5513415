import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { CliResult } from "./cli.ts";
import { type MockTurn, mockModels } from "./mock-models.ts";
import { fixtureOf } from "./mock-server.ts";
import { ccpAt, type Done, doneFrom, type Site, siteAt } from "./proof.ts";
import { LANE_KEYS } from "./wire-run.ts";

/** Each role has a model of its own: by it the server tells who asks. */
export const MODELS = { planner: "claude-sonnet-5", doer: "claude-haiku-4-5", reviewer: "claude-opus-5" } as const;

/** What a role answers at the `turn`th (from 1) of its questions in a conversation. `model`: where it is not the role's own. */
export type RoleTurn = Omit<MockTurn, "model"> & { readonly role: keyof typeof MODELS; readonly model?: string };

/** A user at a repository whose models are a server that counts what it is asked. */
export interface MockSite extends Site {
  /** What is answered from now on, in the place of what was. */
  answer(...turns: readonly RoleTurn[]): void;
  /**
   * Who asked the server since this was looked at last, in order: `doer 2` is its second question of a conversation. A
   * model that is no role's own goes by its name.
   */
  asked(): readonly string[];
  /** Writes a pipeline file outside of the repository and returns its path. */
  pipeline(text: string, name?: string): string;
}

const USAGE = { input_tokens: 1000, output_tokens: 100 };

export async function mockSite(root: string): Promise<MockSite> {
  const mock = await mockModels([]);
  const on = siteAt(root, { ANTHROPIC_API_KEY: LANE_KEYS.anthropic ?? "", ANTHROPIC_BASE_URL: mock.url });
  return {
    ...on,
    answer(...turns) {
      mock.clearFixtures();
      for (const { role, ...turn } of turns) mock.addFixture(fixtureOf({ usage: USAGE, model: MODELS[role], ...turn }));
    },
    asked() {
      const requests = mock.getRequests().map(({ body }) => nameOf(body as unknown as Asked));
      mock.clearRequests();
      return requests;
    },
    pipeline(text, name = "pipeline") {
      const path = join(on.outside, `${name}.yaml`);
      writeFileSync(path, text);
      return path;
    },
  };
}

interface Asked {
  readonly model: string;
  readonly messages: readonly { readonly role: string }[];
}

function nameOf({ model, messages }: Asked): string {
  const role = Object.entries(MODELS).find(([, name]) => name === model)?.[0] ?? model;
  return `${role} ${messages.filter((message) => message.role === "assistant").length + 1}`;
}

/** A pipeline file of these steps, for the roles' own models and with room for a call that is lost. */
export function fileOf(steps: string, head = ""): string {
  const roles = Object.entries(MODELS).map(([role, model]) => `  ${role}: { models: anthropic/${model} }\n`);
  return `${head}budget: { usd: 20 }\nroles:\n${roles.join("")}pipeline:\n${steps}`;
}

/** A command that drives a run, to its end. */
export async function driven(on: Site, code: number, ...argv: readonly string[]): Promise<Done> {
  const [command = "", ...rest] = argv;
  const result: CliResult = await ccpAt(on, command, "--json", ...rest);
  expect(result.code, result.stdout.trimEnd().split("\n").at(-1)).toBe(code);
  return doneFrom(result);
}
