/** Finds what the user probably meant by an unknown name. */

/** A name that can be meant, and its names elsewhere. */
export interface Candidate {
  readonly name: string;
  readonly aliases: readonly string[];
}

/**
 * The candidate that `word` stands for: another case or spelling (`n_jobs`), a name from another library, or a typo of one or two
 * letters. `undefined` if that would be a guess.
 */
export function nearest<C extends Candidate>(word: string, candidates: readonly C[]): C | undefined {
  const wanted = fold(word);
  const same = candidates.find(({ name, aliases }) => [name, ...aliases].some((known) => fold(known) === wanted));
  if (same !== undefined) return same;

  let found: C | undefined;
  let least = wanted.length < 5 ? 2 : 3; // one typo in a short word, two in a longer one
  for (const candidate of candidates) {
    const distance = editDistance(wanted, fold(candidate.name), least);
    if (distance < least) [found, least] = [candidate, distance];
  }
  return found;
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** How many letters to add, drop or replace to get from `a` to `b` (Levenshtein distance), at most `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, row[j]! + 1, next[j - 1]! + 1);
    }
    row = next;
  }
  return row[b.length]!;
}
