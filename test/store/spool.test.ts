import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openSpool } from "../../src/store/spool.ts";
import { tempDir } from "../support/temp.ts";

describe("the spool", () => {
  test("keeps what was written, in order, until it is removed", () => {
    const spool = openSpool(tempDir());
    expect(spool.read("r-a.build.1")).toBeNull();
    spool.write("r-a.build.1", new Uint8Array([1, 2]));
    spool.write("r-a.build.1", new Uint8Array([3]));
    expect([...(spool.read("r-a.build.1") ?? [])]).toEqual([1, 2, 3]);
    spool.remove("r-a.build.1");
    spool.remove("r-a.build.1");
    expect(spool.read("r-a.build.1")).toBeNull();
  });

  test("knows the calls of which something is kept, also those of a process that is gone", () => {
    const directory = tempDir();
    expect(openSpool(directory).list()).toEqual([]);
    const spool = openSpool(directory);
    for (const callId of ["r-a.build.1", "r-a.build.2", "r-b.plan.1"]) spool.write(callId, new Uint8Array([1]));
    spool.remove("r-a.build.2");
    expect([...openSpool(directory).list()].sort()).toEqual(["r-a.build.1", "r-b.plan.1"]);
  });

  test("no call id leaves its folder", () => {
    const directory = tempDir();
    openSpool(directory).write("../../x/y", new Uint8Array([1]));
    expect([...(openSpool(directory).read("../../x/y") ?? [])]).toEqual([1]);
    expect(readFileSync(join(directory, "spool", ".._.._x_y"))).toHaveLength(1);
  });
});
