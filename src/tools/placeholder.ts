import { REDACTED } from "../core/redact.ts";

/**
 * Lines that stand for code which the model did not write: `// ... rest of code ...`, `# existing code here`,
 * `/* unchanged *\/`. Such a line is a comment or has an ellipsis, and says nothing else.
 */
const COMMENT = /^(?:\/\/+|#+|\/\*+|\*+|<!--|--+|;+|%+|"""|\{\/\*)\s*/;
const COMMENT_END = /\s*(?:\*+\/\}?|-->|""")$/;
const ELLIPSIS = /^[\s([{<]*(?:\.{3,}|…)\s*|\s*(?:\.{3,}|…)[\s)\]}>]*$/g;

const THING =
  "(?:code|file|files|functions?|methods?|class|classes|module|content|contents|implementation|logic|imports?|lines?|body|tests?|everything|definitions?|fields|properties)";
const STAYS =
  "(?:(?:is |are |remains? |stays? |goes |kept )?(?:unchanged|the same|as (?:it )?(?:is|was|before)|omitted|here|above|below|for brevity))";
const PHRASES = [
  `(?:the )?(?:rest|remainder) of (?:the |this |your )?(?:\\w+ )?${THING}(?: ${STAYS})*`,
  `(?:the )?(?:rest|remainder)(?: ${STAYS})+`,
  `(?:the )?(?:existing|previous|original|remaining|unchanged|other) ${THING}(?: ${STAYS})*`,
  `(?:${THING} |everything else )?(?:remains? |stays? |is |are )?(?:unchanged|the same as before|same as before|omitted for brevity)`,
  `keep (?:the )?(?:existing|rest of the|previous) ${THING}(?: ${STAYS})*`,
];
const OMISSION = new RegExp(`^(?:${PHRASES.join("|")})[.!:]*$`, "i");

/** The first line of `text` that stands for omitted code and is not already in `known`; null when there is none. */
export function omissionIn(text: string, known: string): string | null {
  const familiar = new Set(known.split("\n").map((line) => line.trim()));
  return (
    text
      .split("\n")
      // A model that copies what it was shown would write the mark over the user's own key.
      .find((line) => !familiar.has(line.trim()) && (line.includes(REDACTED) || isOmission(line.trim())))
      ?.trim() ?? null
  );
}

function isOmission(line: string): boolean {
  const comment = line.replace(COMMENT, "").replace(COMMENT_END, "");
  const words = comment.replace(ELLIPSIS, "").replace(/^[([{<]+|[)\]}>]+$/g, "");
  const isMarked = comment !== line || words !== comment;
  return isMarked && OMISSION.test(words.trim());
}
