import assert from "node:assert/strict";
import { test } from "node:test";
import { pageCount, pageItems } from "../src/pages.js";

test("a list fills its pages", () => {
  assert.equal(pageCount(["a", "b", "c", "d"], 2), 2);
  assert.deepEqual(pageItems(["a", "b", "c", "d"], 2, 2), ["c", "d"]);
});

test("the last page holds what is left", () => {
  assert.equal(pageCount(["a", "b", "c", "d", "e"], 2), 3);
  assert.deepEqual(pageItems(["a", "b", "c", "d", "e"], 3, 2), ["e"]);
});

test("a page that does not exist is empty", () => {
  assert.deepEqual(pageItems(["a", "b"], 0, 2), []);
  assert.deepEqual(pageItems(["a", "b"], 2, 2), []);
});

test("an empty list has no pages", () => {
  assert.equal(pageCount([], 2), 0);
});
