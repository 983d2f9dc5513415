import type { Question } from "./question.ts";

/**
 * True when others are to be asked than before: the conversation begins anew on their route. Their windows may be others,
 * so that it is to be looked at again what can be sent to them.
 */
export async function isRerouted({ port, route }: Pick<Question, "port" | "route">): Promise<boolean> {
  const others = await port.rerouted();
  if (others !== null) route.restart(others);
  return others !== null;
}
