/**
 * What becomes of a chunk whose worker ends: how the worker ends, by what the chunk was at.
 *
 * Where a cell has two fates, the first is for a chunk that may be retried, and the second for one that may not, or no more. A dash:
 * that cannot be.
 */

import type { Fate } from '../../../src/internal/core/pool/fate.js';

/** What a chunk was at. */
export const chunkStates = [
  /** Nobody wants it any more. */
  'cancelled',
  /** It waits behind another one. */
  'waiting',
  /** The worker is at it, and has claimed no value. */
  'given',
  /** The same, and it is not the first worker that has died so. */
  'given again',
  /** A value was begun. */
  'begun',
  /** The same, and others are done. */
  'in part',
  /** Its call has yielded something. */
  'yielded',
  /** Its value was moved. */
  'moved',
] as const;

export type ChunkState = (typeof chunkStates)[number];

const table = `
                                   | cancelled | waiting | given        | given again  | begun      | in part    | yielded | moved
 killed by us                      | over      | return  | return       | return       | return     | return     | fail    | fail
 killed from outside               | over      | return  | start again  | retry/fail   | retry/fail | retry/fail | fail    | fail
 interrupted by SIGINT             | over      | return  | start again  | retry/fail   | retry/fail | retry/fail | fail    | fail
 process.exit                      | over      | return  | start again  | retry/fail   | retry/fail | retry/fail | fail    | fail
 uncaught error                    | over      | return  | retry/fail   | retry/fail   | retry/fail | retry/fail | fail    | fail
 loading code, killed from outside | over      | return  | start again  | retry/fail   | -          | -          | -       | fail
 loading code, SIGINT              | over      | return  | start again  | retry/fail   | -          | -          | -       | fail
 loading code, process.exit        | over      | return  | start again  | retry/fail   | -          | -          | -       | fail
 loading code, uncaught error      | over      | return  | start again  | retry/fail   | -          | -          | -       | fail
 importing, killed from outside    | over      | return  | start again  | retry/fail   | -          | -          | -       | fail
 importing, SIGINT                 | over      | return  | start again  | retry/fail   | -          | -          | -       | fail
 importing, process.exit           | over      | return  | fail loading | fail loading | -          | -          | -       | fail loading
 importing, uncaught error         | over      | return  | fail loading | fail loading | -          | -          | -       | fail loading
 init, killed from outside         | over      | return  | retry/fail init | retry/fail init | -      | -          | -       | fail init
 init, SIGINT                      | over      | return  | retry/fail init | retry/fail init | -      | -          | -       | fail init
 init, process.exit                | over      | return  | retry/fail init | retry/fail init | -      | -          | -       | fail init
 init, uncaught error              | over      | return  | retry/fail init | retry/fail init | -      | -          | -       | fail init
`;

/** How a worker ends. */
export interface Ending {
  readonly title: string;
  readonly stage: 'tasks' | 'loading' | 'init';
  readonly importsModules: boolean;
  readonly by: 'us' | 'SIGKILL' | 'SIGINT' | 'exit' | 'error';
}

/** A combination, and what becomes of the chunk. */
export interface DeathCase {
  readonly ending: Ending;
  readonly state: ChunkState;
  readonly isRetried: boolean;
  readonly hasClaims: boolean;
  readonly fate: Fate;
  readonly title: string;
}

const causes = {
  'killed by us': 'us',
  'killed from outside': 'SIGKILL',
  'interrupted by SIGINT': 'SIGINT',
  SIGINT: 'SIGINT',
  'process.exit': 'exit',
  'uncaught error': 'error',
} as const;

function endingOf(title: string): Ending {
  const [first, second] = title.split(', ');
  const stage = first === 'init' ? 'init' : second === undefined ? 'tasks' : 'loading';
  return { title, stage, importsModules: first === 'importing', by: causes[(second ?? first) as keyof typeof causes] };
}

/** All that can be, by how the worker ends. */
export function deathsByEnding(): Map<string, DeathCase[]> {
  const deaths = new Map<string, DeathCase[]>();
  for (const each of deathCases()) deaths.set(each.ending.title, [...(deaths.get(each.ending.title) ?? []), each]);
  return deaths;
}

function deathCases(): DeathCase[] {
  const [head, ...rows] = table
    .trim()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim()));
  const columns = (head as string[]).filter((cell) => cell !== '') as ChunkState[];
  if (columns.join() !== chunkStates.join()) throw new Error(`The table has the columns ${columns.join(', ')}.`);
  return rows.flatMap(([title, ...cells]) => {
    const ending = endingOf(title as string);
    return columns.flatMap((state, column) => {
      const [retried, failed] = fatesOf(cells[column] as string);
      if (retried === undefined || failed === undefined) return [];
      return [true, false].flatMap((isRetried) =>
        [true, false]
          // Without claims, nobody knows that a chunk was only given.
          .filter((hasClaims) => hasClaims || ending.stage !== 'tasks' || !state.startsWith('given'))
          .map((hasClaims) => ({
            ending,
            state,
            isRetried,
            hasClaims,
            fate: isRetried ? retried : failed,
            title: `${state}${hasClaims ? '' : ', without claims'}${isRetried ? ', to be retried' : ''}: ${isRetried ? retried : failed}`,
          })),
      );
    });
  });
}

/** `retry/fail init` is two fates. */
function fatesOf(cell: string): Fate[] {
  if (cell === '-') return [];
  const [first, second = first] = cell.split('/');
  return [first, second] as Fate[];
}
