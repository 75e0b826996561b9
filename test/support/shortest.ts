/** For limits of time that are shorter than a busy machine may stand still: a process that only sleeps was seen to sleep 100 ms too long. */

/** More where processes are stopped on purpose. */
const ROUNDS = Number(process.env['SHORTEST_ROUNDS'] ?? 4);

/**
 * The shortest of some times, measured one after the other: a delay of the library's own would be in each of them. Stops as soon as one
 * is below the limit.
 *
 * @param measure Does once what takes the time. @param round From 0. @returns The time, in milliseconds.
 */
export async function shortest(limit: number, measure: (round: number) => Promise<number>): Promise<number> {
  let time = Infinity;
  for (let round = 0; round < ROUNDS && time >= limit; round++) time = Math.min(time, await measure(round));
  return time;
}
