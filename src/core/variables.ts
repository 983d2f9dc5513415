/** The environment variable in which a command finds the value of an input. */
export function inputVariable(name: string): string {
  return `CCP_INPUT_${inCapitals(name)}`;
}

/** The environment variable in which a command finds the path of a file with what `${steps.ID.output}` means. */
export function outputVariable(stepId: string): string {
  return `CCP_STEP_${inCapitals(stepId)}_OUTPUT_FILE`;
}

function inCapitals(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
}
