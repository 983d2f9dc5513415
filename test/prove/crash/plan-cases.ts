import type { Kill } from "./killed-process.ts";

/** What happens to one run: the kill of the first process, of the one that goes on, … */
export type Case = readonly Kill[];

/** The run that nobody killed. */
export interface Course {
  /** The kill points that it came by, in their order. */
  readonly hits: readonly string[];
  readonly durationMs: number;
}

/** Numbers from 0 to 1, the same again for the same seed. */
export type Chance = () => number;

/** Of all cases: killed once more while the run goes on, twice more, and at no kill point but at any instant. */
const [ONCE_MORE, TWICE_MORE, AT_RANDOM] = [0.1, 0.08, 0.05];

/**
 * Every place of a run once, in an order in which the first have the most kinds of places among them: a sample takes
 * those. Between them instants at random.
 */
export function planCases(course: Course, chance: Chance): readonly Case[] {
  return newsFirst(shuffled(placesOf(course.hits), chance)).flatMap(({ points, left }) => {
    const point = points[Math.floor(chance() * points.length)] ?? "";
    const atPlace: Case = [{ kind: "point", point }, ...laterKills(left, chance)];
    return chance() < AT_RANDOM ? [atPlace, randomCase(course, chance)] : [atPlace];
  });
}

/** A kill at any instant, from the start of the process on. */
export function randomCase({ durationMs }: Course, chance: Chance): Case {
  return [{ kind: "after", ms: Math.floor(chance() * durationMs) }];
}

/** A state of the disk and of the processes in which a run can die. */
export interface Place {
  /** Its names: the end of one effect, and the beginning of another that follows directly. */
  readonly points: readonly string[];
  /** How many points the run had before it. */
  readonly left: number;
}

/** The places of a run. Between the end of an effect and a beginning right after it nothing has changed: they are one. */
export function placesOf(hits: readonly string[]): readonly Place[] {
  const places: { readonly points: string[]; readonly left: number }[] = [];
  hits.forEach((point, index) => {
    const last = places.at(-1);
    const isSame = /\.before:\d+$/.test(point) && /\.after:\d+$/.test(last?.points.at(-1) ?? "");
    if (last && isSame) last.points.push(point);
    else places.push({ points: [point], left: hits.length - index });
  });
  return places;
}

/** A process that goes on has about as many points before it as the one that was killed had left. */
function laterKills(left: number, chance: Chance): readonly Kill[] {
  const drawn = chance();
  const count = drawn < TWICE_MORE ? 2 : drawn < TWICE_MORE + ONCE_MORE ? 1 : 0;
  const kills: Kill[] = [];
  for (let ahead = left; kills.length < count; ) {
    const nth = 1 + Math.floor(chance() * Math.max(1, ahead));
    kills.push({ kind: "point", point: `*:${nth}` });
    ahead -= nth;
  }
  return kills;
}

function newsFirst(places: readonly Place[]): readonly Place[] {
  const seen = new Set<string>();
  const isNews = ({ points }: Place) => {
    const name = (points[0] ?? "").replace(/:\d+$/, "");
    return !seen.has(name) && Boolean(seen.add(name));
  };
  const news = new Set(places.filter(isNews));
  return [...news, ...places.filter((place) => !news.has(place))];
}

function shuffled<T>(list: readonly T[], chance: Chance): readonly T[] {
  return list
    .map((one) => [chance(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}

/** A case as a person can give it again: `journal.after:12,*:37`, `ms:250`. */
export function formatCase(kills: Case): string {
  return kills
    .map((kill) => (kill.kind === "after" ? `ms:${kill.ms}` : kill.kind === "point" ? kill.point : ""))
    .join();
}

/** Throws for what `formatCase` does not write. */
export function parseCase(text: string): Case {
  return text.split(",").map((part): Kill => {
    const [, name, number] = /^([a-z.*-]+):(\d+)$/.exec(part) ?? [];
    if (name === undefined) throw new Error(`not a kill: ${part}`);
    return name === "ms" ? { kind: "after", ms: Number(number) } : { kind: "point", point: part };
  });
}
