/** The known name nearest to `name`, if it is near enough to be a slip of the hand; null otherwise. */
export function didYouMean(name: string, known: readonly string[]): string | null {
  const limit = name.length <= 4 ? 1 : 2;
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate ?? null;
}

/** Levenshtein distance with a swap of neighbours as one edit. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) row.push(cell(rows, row, a, b, i, j));
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

function cell(rows: number[][], row: number[], a: string, b: string, i: number, j: number): number {
  const at = (r: number, c: number) => rows[r]?.[c] ?? 0;
  const substitution = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
  const best = Math.min(at(i - 1, j) + 1, (row[j - 1] ?? 0) + 1, substitution);
  const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  return swapped ? Math.min(best, at(i - 2, j - 2) + 1) : best;
}
