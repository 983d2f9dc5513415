/** One line of a model's list of work. */
export interface TodoItem {
  readonly text: string;
  readonly status: "pending" | "in_progress" | "done";
}

const MARKS = { pending: "[ ]", in_progress: "[>]", done: "[x]" } as const satisfies Record<TodoItem["status"], string>;

/** A list as the model is shown it: one line an item. `todosIn` is the inverse. */
export function renderTodos(items: readonly TodoItem[]): string {
  if (items.length === 0) return "(the list is empty)";
  return items.map(({ text, status }) => `${MARKS[status]} ${text.replace(/\s+/g, " ").trim()}`).join("\n");
}

/** The list in a text that `renderTodos` gave; lines of any other form are none. */
export function todosIn(text: string): readonly TodoItem[] {
  return text.split("\n").flatMap((line): readonly TodoItem[] => {
    const status = (Object.keys(MARKS) as readonly TodoItem["status"][]).find((key) => line.startsWith(MARKS[key]));
    return status === undefined ? [] : [{ status, text: line.slice(MARKS[status].length + 1) }];
  });
}

/** What is still to be done: a model that stops with it left has stopped too early. */
export function openTodos(items: readonly TodoItem[]): readonly TodoItem[] {
  return items.filter(({ status }) => status !== "done");
}
