/** A place in a pattern: what it may take next, and where it may go on without taking anything. */
interface Place {
  readonly takes: readonly { readonly letter: Letter; readonly to: number }[];
  readonly skips: readonly number[];
}

/** A letter of its own, any, or any but `/`. */
type Letter = { readonly is: string } | "any" | "within";

/**
 * Reads a glob and gives the test for it: true when the whole of a path matches. All places of the pattern at which the
 * path could be are followed side by side, so that no pattern takes longer than its length times the path's: patterns and
 * names come from models and repositories.
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const places = placesOf(pattern);
  const known = new Map<string, State>();
  const start = stateOf([...reached(places, [0])], known);
  return (path) => {
    // A pattern that leads to so many is made to: what is known of it is let go.
    if (known.size > MOST_STATES) {
      known.clear();
      start.next.clear();
    }
    let state = start;
    for (let index = 0; index < path.length && state.at.length > 0; index++)
      state = stateAfter(state, path[index] ?? "", { places, known });
    return state.at.includes(places.length);
  };
}

/** The places where a path could be after some of its letters, and what is known of where each letter leads from there. */
interface State {
  readonly at: readonly number[];
  readonly next: Map<string, State>;
}

/** The same places come again with nearly every path, so that most letters cost one look. */
const MOST_STATES = 1000;

function stateOf(at: readonly number[], known: Map<string, State>): State {
  const name = at.toSorted((a, b) => a - b).join(" ");
  const state = known.get(name) ?? { at, next: new Map() };
  known.set(name, state);
  return state;
}

function stateAfter(
  state: State,
  letter: string,
  { places, known }: { readonly places: readonly Place[]; readonly known: Map<string, State> },
): State {
  const next = state.next.get(letter) ?? stateOf([...after(places, state.at, letter)], known);
  state.next.set(letter, next);
  return next;
}

const TOKEN = /\*\*\/|\*\*|\*|\?|\{[^{}]*\}|[\s\S]/g;

/** One place for each letter; the end is the place after the last. */
function placesOf(pattern: string): readonly Place[] {
  const places: Place[] = [];
  for (const token of pattern.match(TOKEN) ?? []) {
    const here = places.length;
    if (token === "**/") {
      places.push({ takes: [], skips: [here + 1, here + 2] });
      places.push({
        takes: [
          { letter: "any", to: here + 1 },
          { letter: { is: "/" }, to: here + 2 },
        ],
        skips: [],
      });
    } else if (token === "**") places.push({ takes: [{ letter: "any", to: here }], skips: [here + 1] });
    else if (token === "*") places.push({ takes: [{ letter: "within", to: here }], skips: [here + 1] });
    else if (token === "?") places.push({ takes: [{ letter: "within", to: here + 1 }], skips: [] });
    else if (token.length > 1) places.push(...choiceOf(token.slice(1, -1).split(","), here));
    else places.push({ takes: [{ letter: { is: token }, to: here + 1 }], skips: [] });
  }
  return places;
}

/** Words side by side: the first place leads to the beginning of each, the end of each to what comes after all. */
function choiceOf(words: readonly string[], here: number): readonly Place[] {
  const end = here + 1 + words.reduce((sum, word) => sum + word.length, 0);
  const beginnings: number[] = [];
  const letters: Place[] = [];
  for (const word of words) {
    beginnings.push(word === "" ? end : here + 1 + letters.length);
    for (const [index, letter] of word.split("").entries()) {
      const to = index === word.length - 1 ? end : here + 2 + letters.length;
      letters.push({ takes: [{ letter: { is: letter }, to }], skips: [] });
    }
  }
  return [{ takes: [], skips: beginnings }, ...letters];
}

function after(places: readonly Place[], at: readonly number[], letter: string): ReadonlySet<number> {
  const next: number[] = [];
  for (const index of at)
    for (const take of places[index]?.takes ?? []) if (isTaken(take.letter, letter)) next.push(take.to);
  return reached(places, next);
}

function isTaken(wanted: Letter, letter: string): boolean {
  if (wanted === "any") return true;
  return wanted === "within" ? letter !== "/" : wanted.is === letter;
}

/** These places and all that are reached from them without taking a letter. */
function reached(places: readonly Place[], from: readonly number[]): ReadonlySet<number> {
  const found = new Set(from);
  for (const index of found) for (const skip of places[index]?.skips ?? []) found.add(skip);
  return found;
}
