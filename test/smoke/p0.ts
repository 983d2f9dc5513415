import { existsSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { hold, smoke } from "./smoke.ts";

/** The planned loop is printed; nothing is asked, and nothing is on record. */
await smoke("p0", async ({ root, ccp }) => {
  let connections = 0;
  const nobody = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => nobody.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(nobody.address() as AddressInfo).port}`;
  const env = {
    ANTHROPIC_API_KEY: "smoke-anthropic",
    ANTHROPIC_BASE_URL: url,
    OPENAI_API_KEY: "smoke-openai",
    OPENAI_BASE_URL: `${url}/v1`,
  };

  const plan = await ccp(["plan", "--pipeline", "plan-build-test-review"], env);
  const runs = await ccp(["runs", "--json"], env);
  await new Promise((resolve) => nobody.close(resolve));

  process.stdout.write(plan.stdout);
  hold("`ccp plan` ends with 0", plan.code === 0, plan.stderr);
  const lines = plan.stdout.split("\n");
  const places = ["planner", "doer", "test", "reviewer"].map((id) =>
    lines.findIndex((line) => line.startsWith(`${id} `)),
  );
  hold(
    "the loop is printed in its order",
    places.every((place, index) => place > (places[index - 1] ?? 0)),
    plan.stdout,
  );
  hold("the project's test command is in it", plan.stdout.includes("`npm test`"), plan.stdout);
  hold("no provider was connected to", connections === 0);
  hold("no run is on record", runs.code === 0 && JSON.parse(runs.stdout).runs.length === 0, runs.stdout + runs.stderr);
  hold("nothing was written to the tree", !existsSync(join(root, "results")) && !existsSync(join(root, ".ccp")));
  return "the planned loop is printed: no connection, no call, no run";
});
