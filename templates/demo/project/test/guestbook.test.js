import assert from "node:assert/strict";
import { test } from "node:test";
import { renderPage } from "../src/guestbook.js";

const entries = ["Ada", "Ben", "Cleo"].map((name) => ({ name, text: "hello" }));

test("the newest entry comes first", () => {
  assert.equal(renderPage(entries, 1), "Cleo: hello\nBen: hello\nAda: hello\nPage 1 of 1");
});
