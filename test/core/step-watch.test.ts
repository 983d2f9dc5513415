import fc from "fast-check";
import { expect, test } from "vitest";
import { UNTRIED } from "../../src/core/step-state.ts";
import { NO_STEPS, type StepTable, stepOf, withStepState } from "../../src/core/step-table.ts";
import { StepWatch } from "../../src/core/step-watch.ts";

const IDS = Array.from({ length: 70 }, (_, index) => `step-${index}`);
/** Each puts a step (0 to 79: some are none of ours) to another state. */
const moves = fc.array(fc.tuple(fc.nat(79), fc.nat(3)), { maxLength: 30 });

const moved = (table: StepTable, [step, calls]: readonly [number, number]) =>
  withStepState(table, `step-${step}`, { ...UNTRIED, calls });

test("steps stand as the last table says, whichever tables were looked at before", () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 5 }), fc.array(fc.nat(4), { maxLength: 8 }), (logs, looks) => {
      const tables = [NO_STEPS, ...logs.map((log) => log.reduce(moved, NO_STEPS))];
      const watch = new StepWatch(IDS);
      for (const look of looks) {
        const table = tables[look % tables.length] ?? NO_STEPS;
        const before = [...watch.states];
        const changed = watch.look(table);
        expect(watch.states).toEqual(IDS.map((id) => stepOf(table, id) ?? UNTRIED));
        const others = [...IDS.keys()].filter((place) => watch.states[place] !== before[place]);
        expect(changed.toSorted((a, b) => a - b)).toEqual(others);
      }
    }),
  );
});
