/** The table of start methods that the suite runs over: a new start method is a new row. */

import type { StartMethodName } from 'rxjs-parallel-map';

export interface StartMethodRow {
  readonly name: StartMethodName;
  /** Whether a worker is a process of its own, with a pid that can be killed. */
  readonly isProcess: boolean;
  /** Whether a worker is a copy of a process that is up already. */
  readonly isCopy: boolean;
  /** Whether a `SharedArrayBuffer` can be sent, and `transfer` really moves. */
  readonly sharesMemory: boolean;
}

const all: readonly StartMethodRow[] = [
  { name: 'threading', isProcess: false, isCopy: false, sharesMemory: true },
  { name: 'spawn', isProcess: true, isCopy: false, sharesMemory: false },
  { name: 'forkserver', isProcess: true, isCopy: true, sharesMemory: false },
  { name: 'fork', isProcess: true, isCopy: true, sharesMemory: false },
];

/** No worker at all: what suites show that need none. */
const inline: StartMethodRow = { name: 'inline', isProcess: false, isCopy: false, sharesMemory: true };

/** Those that the environment variable `START_METHODS` names, separated by commas. */
const named = process.env['START_METHODS']?.split(',');

/** The start methods of this run: all, or those that `START_METHODS` names. */
export const startMethods = all.filter(({ name }) => named?.includes(name) ?? true);

/** With `ALL_START_METHODS=1` every suite runs with every start method, also where a few of them show the same. */
export const runsAll = Boolean(process.env['ALL_START_METHODS']);

/** Describes the same behaviour for each start method: for what a start method does in a way of its own. */
export function describeEach(title: string, body: (row: StartMethodRow) => void): void {
  describeRows(startMethods, title, body);
}

/**
 * The same with some start methods: for values, order, what functions take along, what errors say and what options mean. All
 * processes do that with the same code over the same channel (`worker/` and `start/process/`), so beside threads one of them
 * stands for all. Which one is spread over the suites. `inline` is for suites in which no worker is ended or blocked, and none has
 * memory of its own.
 *
 * `START_METHODS` and `ALL_START_METHODS` take the place of the names, but `inline` runs only where it is named.
 */
describeEach.of = (names: readonly StartMethodName[], title: string, body: (row: StartMethodRow) => void): void => {
  const isWanted = ({ name }: StartMethodRow): boolean =>
    named?.includes(name) ?? (names.includes(name) || (runsAll && name !== 'inline'));
  const rows = names.includes('inline') ? [...all, inline] : all;
  describeRows(rows.filter(isWanted), title, body);
};

/** A start method of pools, and that of the pools inside of their workers. */
export interface Mix {
  readonly outer: StartMethodName;
  readonly inner: StartMethodName;
}

/** Each start method inside of each. */
export const allMixes: readonly Mix[] = startMethods.flatMap(({ name: outer }) =>
  startMethods.map(({ name: inner }) => ({ outer, inner })),
);

/** Mixes for which the one with the other kind of copy stands, where both are there. */
const hasStandIn = new Set(
  runsAll || startMethods.length < all.length
    ? []
    : [
        'fork in threading',
        'threading in forkserver',
        'forkserver in spawn',
        'spawn in fork',
        'fork in forkserver',
        'forkserver in fork',
      ],
);

/**
 * Those of them that differ in kind. Beside a thread or a spawned process one kind of copy stands for both, by turns: each of
 * the two is once inside of something else, once around it, and once inside of its own kind.
 */
export const mixes = allMixes.filter(({ outer, inner }) => !hasStandIn.has(`${inner} in ${outer}`));

function describeRows(rows: readonly StartMethodRow[], title: string, body: (row: StartMethodRow) => void): void {
  for (const row of rows) {
    describe(`${title} (${row.name})`, () => {
      body(row);
    });
  }
}

/**
 * Whether a thread that exhausts its heap ends alone. Node 24 ends the program with it, and Node 26 hangs, also where a program of five
 * lines does so with worker threads of its own: see docs/errors.md.
 */
export const threadsMayRunOut = Number.parseInt(process.versions.v8, 10) < 13;
