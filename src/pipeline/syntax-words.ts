import type { YAMLError } from "yaml";

interface Words {
  readonly message: string;
  readonly hint: string | null;
}

/** A YAML syntax error in the words of someone who writes a pipeline, not a parser. */
export function describeSyntaxError(error: YAMLError, text: string): Words {
  const at = text.slice(error.pos[0], error.pos[1]);
  switch (error.code) {
    case "DUPLICATE_KEY":
      return words(`"${keyAt(text, error.pos[0])}" is given twice`, "keep one of the two");
    case "TAB_AS_INDENT":
      return words("a tab cannot indent YAML", "use spaces");
    case "BLOCK_AS_IMPLICIT_KEY":
      return error.message.startsWith("A block")
        ? words("this line is not indented like the lines it belongs to", null)
        : words(`": " inside a value begins a new key`, `put the value in quotes, or on a line of its own after "|"`);
    case "BAD_INDENT":
      return error.message.startsWith("Flow ")
        ? words(`this ${error.message.startsWith("Flow map") ? "{" : "["} is not closed`, null)
        : words("this line is not indented like the lines it belongs to", null);
    case "MULTILINE_IMPLICIT_KEY":
      return words(`there is no ":" on this line`, `a key is written "key: value", an item of a list "- value"`);
    case "MISSING_CHAR":
      return error.message.includes("quote")
        ? words("a closing quote is missing", null)
        : words(`a ":" is missing`, `a key is written "key: value", an item of a list "- value"`);
    case "BAD_SCALAR_START":
      return words(`a value cannot begin with "${at}"`, "put it in quotes");
    case "BAD_DQ_ESCAPE":
      return words("this escape means nothing between double quotes", "use single quotes, or double the backslash");
    case "MULTIPLE_DOCS":
      return words(`a second document begins here`, `one file holds one; remove the "---"`);
    case "NON_STRING_KEY":
      return words("a key must be plain text", null);
    case "TAG_RESOLVE_FAILED":
      return words(`the tag "${at}" has no meaning here`, "remove it, or put the value in quotes");
    case "RESOURCE_EXHAUSTION":
      return words("the file is nested too deeply", null);
    case "UNEXPECTED_TOKEN":
      return words("this does not fit what stands before it", "look at the indentation and the quotes around here");
    default:
      return words(
        `this is not YAML: ${lowerFirst(error.message)}`,
        "look at the indentation and the quotes around here",
      );
  }
}

function words(message: string, hint: string | null): Words {
  return { message, hint };
}

/** The parser points at a key that is given twice by its first character only. */
function keyAt(text: string, offset: number): string {
  return /^["']?([^:"'\n]*)/.exec(text.slice(offset))?.[1]?.trim() ?? "";
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
