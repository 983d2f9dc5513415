import fc from "fast-check";

const PIECES = [
  "\x1b",
  "\x1b[2J",
  "\x1b[3J",
  "\x1b[?1049h",
  "\x1b[?1000h",
  "\x1b]0;title\x07",
  "\x1b]52;c;aGk=\x1b\\",
  "\x1bPq\x1b\\",
  "\x1bc",
  "\x9b31m",
  "\x9d0;x\x9c",
  "\x90",
  "\x07",
  "\x08",
  "\x7f",
  "\x85",
  "\n",
  "\r",
  "\r\n",
  "\t",
  "\u2028",
  "\u202e",
  "\u2066",
  "\u200b",
  "\ufeff",
  "\u{e0041}",
  "\ud800",
  "::",
  ":",
  "##[error]",
  "##",
  "[",
  "vso[",
  " ",
  "a",
  "0;1",
  "漢字",
  "👩‍👩‍👧",
  "e\u0301",
];

/** Text that wants to do something to whoever prints it. */
export const hostileText = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: "binary", maxLength: 4 })), { maxLength: 20 })
  .map((pieces) => pieces.join(""));

/** C0, DEL, C1, line separators, and what turns or hides text. */
export const UNPRINTABLE =
  /[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b\u200e\u200f\u061c\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
