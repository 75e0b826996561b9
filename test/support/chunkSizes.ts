/**
 * How large chunks are, as seen by a task: what values have in common is copied once for each message, so the copy tells which
 * values have come together.
 */

export interface Marked {
  readonly mark: { count?: number };
}

/** So many values with a mark in common. */
export function marked(count: number): Marked[] {
  const mark = {};
  return Array.from({ length: count }, () => ({ mark }));
}

/** A task: which value of its chunk it gets, from 1 on. Of an entry of a map, the key is marked. */
export function placeInChunk(value: Marked | readonly [Marked, unknown]): number {
  const { mark } = 'mark' in value ? value : value[0];
  return (mark.count = (mark.count ?? 0) + 1);
}

/** The sizes of the chunks, in their order, from what the task has returned. */
export function sizesOf(places: readonly number[]): number[] {
  const sizes: number[] = [];
  for (const place of places) {
    if (place === 1) sizes.push(0);
    sizes[sizes.length - 1] = place;
  }
  return sizes;
}
