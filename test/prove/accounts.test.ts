import { expect, test } from "vitest";
import { ownAccounts, recordedAccounts } from "./failover/accounts.ts";

test.each(await ownAccounts())("to the token and to the nano-dollar: $name", ({ found, expected }) => {
  expect(found).toEqual(expected);
});

const recorded = (await recordedAccounts(process.env.CCP_WIRE)) ?? [];

test.skipIf(recorded.length === 0).each(recorded)("to the token, as recorded: $name", ({ found, expected }) => {
  expect(found).toEqual(expected);
});
