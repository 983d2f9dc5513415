import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CcpError } from "../../src/core/errors.ts";
import type { ModelEvent, ModelRef, ModelRequest } from "../../src/core/model.ts";
import type { Models, Spool } from "../../src/core/ports.ts";
import { collect, type End, endOf } from "../support/wires.ts";

/** Models under test, and requests whose ends are known. */
export interface ModelsUnderTest {
  readonly models: Models;
  /** The one that `models` writes to. */
  readonly spool: Spool;
  /** Is answered with text. Only its model matters to the others. */
  readonly answered: ModelRequest;
  /** Fails at the provider. */
  readonly failing: ModelRequest;
  /** Has begun and then says no more, until it is stopped. */
  readonly endless: ModelRequest;
}

/**
 * What every implementation of the `Models` port promises. `make` is called anew for each test and cleans up after it.
 */
export function modelsContract(name: string, make: () => Promise<ModelsUnderTest>): void {
  describe(`${name}, as models`, () => {
    it("end an answer exactly once, after deltas that add up to its text", async () => {
      const { models, answered } = await make();
      const events = await collect(models.send(answered, call("c-1")));
      const end = onlyEnd(events);
      if (end.type !== "answered") throw new Error(end.failure.message);
      const kept = end.parts.map((part) => (part.kind === "text" ? part.text : "")).join("");
      expect(kept).not.toBe("");
      expect(textOf(events)).toBe(kept);
    });

    it("end a failure exactly once, as an event and not as an exception", async () => {
      const { models, failing } = await make();
      const end = await endOf(models.send(failing, call("c-1")));
      expect(end).toMatchObject({ type: "failed", failure: { message: expect.stringMatching(/./) } });
    });

    it("fail a call to nobody, as an event", async () => {
      const { models, answered } = await make();
      const nobody = { ...answered, model: { provider: "nobody", model: "m" } };
      expect(await endOf(models.send(nobody, call("c-1")))).toMatchObject({
        type: "failed",
        failure: { class: "invalid", mayBeBilled: false },
      });
    });

    it("end a call that was stopped before it began", async () => {
      const { models, answered } = await make();
      const end = await endOf(models.send(answered, { callId: "c-1", signal: AbortSignal.abort() }));
      expect(end.type).toBe("failed");
    });

    it("end a call that is stopped while it waits", async () => {
      const { models, endless } = await make();
      const controller = new AbortController();
      const end = endOf(models.send(endless, { callId: "c-1", signal: controller.signal }));
      setImmediate(() => controller.abort());
      expect((await end).type).toBe("failed");
    });

    it("recover an answer that had fully arrived, without asking again", async () => {
      const { models, answered } = await make();
      const events = await collect(models.send(answered, call("c-1")));
      const recovered = { answer: onlyEnd(events), text: textOf(events) };
      expect(await models.recover(answered.model, "c-1")).toEqual(recovered);
      expect(await models.recover(answered.model, "c-1")).toEqual(recovered);
    });

    it("recover nothing of a call that is unknown, failed, or belongs to nobody", async () => {
      const { models, answered, failing } = await make();
      const nothing = { answer: null, text: "" };
      await endOf(models.send(failing, call("c-1")));
      expect(await models.recover(failing.model, "c-1")).toEqual(nothing);
      expect(await models.recover(answered.model, "c-2")).toEqual(nothing);
      await endOf(models.send(answered, call("c-3")));
      expect(await models.recover({ provider: "nobody", model: "m" }, "c-3")).toEqual(nothing);
    });

    it("recover the answer or none, and the text that had come, wherever it broke off; only usage may be a guess", async () => {
      const { models, spool, answered } = await make();
      const events = await collect(models.send(answered, call("c-1")));
      const [end, text] = [onlyEnd(events), textOf(events)];
      const whole = Uint8Array.from(spool.read("c-1") ?? []);
      const texts = new Set<string>();
      // Around each line end: what is between them is of no use to anyone.
      const lengths = [...whole].flatMap((byte, at) => (byte === 0x0a ? [at - 1, at, at + 1] : []));
      for (const length of [0, ...lengths]) {
        spool.remove("cut");
        spool.write("cut", whole.subarray(0, length));
        const recovered = await models.recover(answered.model, "cut");
        const { answer } = recovered;
        expect(text.startsWith(recovered.text)).toBe(true);
        texts.add(recovered.text);
        if (answer?.usage.source === "estimated") expect({ ...answer, usage: null }).toEqual({ ...end, usage: null });
        else if (answer !== null) expect(answer).toEqual(end);
      }
      // It comes in pieces, and each that had come is there.
      const shown = events.flatMap((event) => (event.type === "text" ? [event.text] : []));
      expect([...texts].sort()).toEqual(["", ...shown.map((_, at) => shown.slice(0, at + 1).join(""))].sort());
    });

    it("recover nothing from bytes that never were an answer", async () => {
      const { models, spool, answered } = await make();
      await fc.assert(
        fc.asyncProperty(fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from)), async (bytes) => {
          spool.remove("noise");
          spool.write("noise", Buffer.concat([bytes, Buffer.from("\n{}\n")]));
          expect(await models.recover(answered.model, "noise")).toEqual({ answer: null, text: "" });
        }),
        { numRuns: 40 },
      );
    });

    it("know their own models and refuse those of others", async () => {
      const { models, answered } = await make();
      const facts = models.facts(answered.model);
      expect(facts.ref).toEqual(answered.model);
      expect(facts.maxOutputTokens).toBeGreaterThan(0);
      expect(refusal(models, { provider: "nobody", model: "m" })).toMatchObject({
        code: "unknown_provider",
        exitCode: 2,
      });
    });

    it("bound the input of a request by more than nothing", async () => {
      const { models, answered } = await make();
      const longer = { ...answered, system: answered.system + "more words, ".repeat(100) };
      expect(models.inputBound(answered)).toBeGreaterThan(0);
      expect(models.inputBound(longer)).toBeGreaterThan(models.inputBound(answered) + 300);
    });

    it("bound it as tightly as they can, and never less tightly than quickly", async () => {
      const { models, answered, failing } = await make();
      for (const asked of [answered, failing]) {
        const tight = await models.tightInputBound(asked);
        expect(tight).toBeGreaterThan(0);
        expect(tight).toBeLessThanOrEqual(models.inputBound(asked));
      }
    });
  });
}

function call(callId: string): { readonly callId: string; readonly signal: AbortSignal } {
  return { callId, signal: new AbortController().signal };
}

function textOf(events: readonly ModelEvent[]): string {
  return events.map((event) => (event.type === "text" ? event.text : "")).join("");
}

function onlyEnd(events: readonly ModelEvent[]): End {
  const ends = events.filter((event): event is End => event.type === "answered" || event.type === "failed");
  expect(ends).toHaveLength(1);
  expect(events.at(-1)).toBe(ends[0]);
  return ends[0] as End;
}

function refusal(models: Models, ref: ModelRef): CcpError | null {
  try {
    models.facts(ref);
    return null;
  } catch (error) {
    if (error instanceof CcpError) return error;
    throw error;
  }
}
