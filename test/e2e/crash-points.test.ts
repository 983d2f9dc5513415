import { expect, test } from "vitest";
import { layGround } from "../prove/crash/ground.ts";
import { proveCrash } from "../prove/crash/prove-crash.ts";
import { renderViolations } from "../prove/crash/report.ts";
import { BINARY } from "../support/cli.ts";
import { seeded } from "../support/killer.ts";
import { tempDir } from "../support/temp.ts";

/** All of them: `npm run prove:crash`. */
const KILLS = 24;
const SEED = Number(process.env.CCP_CRASH_SEED ?? 20_261);

test(`killed at ${KILLS} kill points (seed ${SEED}), a run ends as if nothing had been`, async () => {
  const { cases } = await proveCrash(layGround(tempDir("ccp-crash"), BINARY), {
    kills: KILLS,
    chance: seeded(SEED),
    jobs: 2,
    only: null,
  });
  expect(cases.flatMap(({ outcome }) => outcome.killed).length).toBeGreaterThanOrEqual(KILLS);
  expect(cases.filter(({ outcome }) => outcome.violations.length > 0).map(renderViolations)).toEqual([]);
}, 600_000);
