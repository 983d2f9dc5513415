/**
 * A line, one character a byte, whose white space counts no more than that it is there. Only that of ASCII: bytes such as
 * 0xA0 are parts of letters.
 */
export function squeezed(line: string): string {
  return line.replace(/[ \t\r\f\v]+/g, " ").replace(/^ | $/g, "");
}
