/**
 * What a call is made of, by chance: each factor has levels, the first of which is the usual one. A pair of levels that does not go together
 * is named in the rules; every other pair occurs in a plan.
 */

export interface Factor {
  readonly name: string;
  readonly levels: readonly string[];
}

/** A level for each factor, by name. */
export type Choice = Readonly<Record<string, string>>;

/** From 0 to 1. */
export type Chance = () => number;

const table = {
  // How the call is made.
  method: [
    'map',
    'mapUnordered',
    'imap',
    'imapUnordered',
    'apply',
    'parallelMap',
    'parallelMap unordered',
    'parallelMergeMap',
    'parallelFrom',
  ],
  size: ['5', '0', '1', '30'],
  value: ['number', 'string', 'buffer', 'instance', 'day', 'names', 'record', 'error', 'bytes', 'undefined', 'nested'],
  task: ['plain', 'waits', 'mixed', 'spins'],
  failure: ['none', 'throws', 'bad result', 'bad input', 'hangs'],
  death: ['none', 'once'],
  end: ['join', 'terminate'],
  // Options of the pool.
  nJobs: ['2', '1', '3'],
  keepAlive: ['none', 'true'],
  sharedObjects: ['none', 'given'],
  orderTasks: ['none', 'true'],
  insights: ['none', 'true'],
  startTimeout: ['none', 'long'],
  // Options of the call.
  chunkSize: ['none', '1', '3', '100'],
  nSplits: ['none', '2', '50'],
  maxTasksActive: ['none', '1', '4'],
  tasksPerWorker: ['none', '2'],
  transferInput: ['none', 'given'],
  progressBar: ['none', 'given'],
  signal: ['none', 'idle', 'fires'],
  taskTimeout: ['none', 'given'],
  workerInit: ['none', 'given', 'throws'],
  workerExit: ['none', 'given'],
  workerInitTimeout: ['none', 'given'],
  workerExitTimeout: ['none', 'given'],
  workerLifespan: ['none', '1', '3'],
  workerDeathRetries: ['none', '1'],
  settle: ['none', 'true'],
  cancelTimeout: ['none', '0'],
  classes: ['none', 'given'],
  onProgress: ['none', 'given'],
  concatenate: ['none', 'false'],
  onExitResults: ['none', 'given'],
  onInsights: ['none', 'given'],
  bufferSize: ['none', 'large'],
  overflow: ['none', 'drop-oldest'],
} as const;

export const factors: readonly Factor[] = Object.entries(table).map(([name, levels]) => ({ name, levels }));

/** What was changed last, and so is taken more often. */
const weights: Readonly<Record<string, number>> = {
  'value instance': 3,
  'value day': 2,
  'value names': 2,
  'classes given': 3,
};

const operators = ['parallelMap', 'parallelMap unordered', 'parallelMergeMap'];

/** Whether two levels do not go together. Each pair is asked for once, in the order of the table. */
function isExcluded(one: string, a: string, other: string, b: string): boolean {
  if (one === 'method') {
    const isOperator = operators.includes(a);
    switch (other) {
      case 'size':
        return a === 'apply' && b !== '1';
      case 'chunkSize':
      case 'maxTasksActive':
      case 'tasksPerWorker':
      case 'transferInput':
      case 'progressBar':
        return a === 'apply' && b !== 'none';
      case 'nSplits': // needs an input of known length
        return (a === 'apply' || isOperator) && b !== 'none';
      case 'concatenate':
        return a !== 'map' && b !== 'none';
      case 'onExitResults':
      case 'onInsights':
        return !isOperator && a !== 'parallelFrom' && b !== 'none';
      case 'bufferSize':
      case 'overflow':
        return !isOperator && b !== 'none';
      case 'death': // a call that has given results is not tried again
        return a === 'parallelMergeMap' && b === 'once';
      case 'failure': // the clock of a call stands still while its subscriber is slow
        return a === 'parallelMergeMap' && b === 'hangs';
    }
  }
  switch (`${one} ${other}`) {
    case 'chunkSize nSplits':
      return a !== 'none' && b !== 'none';
    case 'failure taskTimeout':
      return a === 'hangs' && b === 'none';
    case 'failure tasksPerWorker': // the others on the worker are lost with it
      return a === 'hangs' && b !== 'none';
    case 'failure death': // either may end the other's worker
      return a === 'hangs' && b === 'once';
    case 'death workerDeathRetries':
      return a === 'once' && b === 'none';
    case 'death transferInput': // what has moved is gone
      return a === 'once' && b === 'given';
    case 'death workerLifespan':
      return false;
    case 'insights onInsights':
      return a === 'none' && b === 'given';
    case 'bufferSize overflow':
      return a === 'none' && b !== 'none';
    case 'workerInit workerInitTimeout':
    case 'workerExit workerExitTimeout':
      return a === 'none' && b !== 'none';
  }
  return false;
}

function goesWith(choice: Record<string, string>, factor: Factor, level: string): boolean {
  const at = factors.indexOf(factor);
  return factors.every(({ name }, i) => {
    const other = choice[name];
    if (other === undefined || i === at) return true;
    return i < at ? !isExcluded(name, other, factor.name, level) : !isExcluded(factor.name, level, name, other);
  });
}

/** All pairs of levels that go together, in some method. */
export function allPairs(): Set<string> {
  const [method] = factors as [Factor, ...Factor[]];
  const pairs = new Set<string>();
  factors.forEach((one, i) => {
    for (const other of factors.slice(i + 1)) {
      for (const a of one.levels) {
        for (const b of other.levels) {
          const choice = { [one.name]: a, [other.name]: b };
          const isPossible = one === method || method.levels.some((level) => goesWith(choice, method, level));
          if (isPossible && goesWith(choice, other, b)) pairs.add(pairOf(one.name, a, other.name, b));
        }
      }
    }
  });
  return pairs;
}

/** The pairs that a choice has. */
export function pairsOf(choice: Choice): string[] {
  return factors.flatMap(({ name: one }, i) =>
    factors.slice(i + 1).map(({ name: other }) => pairOf(one, choice[one] as string, other, choice[other] as string)),
  );
}

function pairOf(one: string, a: string, other: string, b: string): string {
  return `${one}=${a}, ${other}=${b}`;
}

/** Choices of which the first ones have all pairs, and the others what chance gives. */
export function* plan(chance: Chance): Generator<Choice, never> {
  const missing = allPairs();
  for (;;) {
    const [first] = missing;
    const choice = choose(chance, missing, first);
    for (const pair of pairsOf(choice)) missing.delete(pair);
    yield choice;
  }
}

function choose(chance: Chance, missing: ReadonlySet<string>, pair: string | undefined): Choice {
  const choice: Record<string, string> = {};
  for (const part of pair?.split(', ') ?? []) {
    const [name, level] = part.split('=') as [string, string];
    choice[name] = level;
  }
  const [method, ...others] = factors as [Factor, ...Factor[]];
  // The method first: it says which options there are.
  const rest = [method, ...shuffled(chance, others)].filter(({ name }) => choice[name] === undefined);
  for (const factor of rest) {
    const levels = factor.levels.filter((level) => goesWith(choice, factor, level));
    choice[factor.name] = pick(chance, levels, ({ length }, level) => {
      const wanted = missing.size === 0 ? 0 : newPairs(missing, choice, factor, level);
      // Without missing pairs the usual level is taken half of the time: few options at once fail in a way that can be read.
      const usual = level === factor.levels[0] && missing.size === 0 ? Math.max(1, length - 1) : 1;
      return usual * (weights[`${factor.name} ${level}`] ?? 1) * (1 + 20 * wanted);
    });
  }
  return choice;
}

function newPairs(missing: ReadonlySet<string>, choice: Choice, factor: Factor, level: string): number {
  const at = factors.indexOf(factor);
  let count = 0;
  factors.forEach(({ name }, i) => {
    const other = choice[name];
    if (other === undefined || i === at) return;
    const pair = i < at ? pairOf(name, other, factor.name, level) : pairOf(factor.name, level, name, other);
    if (missing.has(pair)) count++;
  });
  return count;
}

function pick(
  chance: Chance,
  levels: readonly string[],
  weightOf: (levels: readonly string[], level: string) => number,
): string {
  const all = levels.map((level) => weightOf(levels, level));
  let left = chance() * all.reduce((sum, weight) => sum + weight, 0);
  for (const [i, weight] of all.entries()) if ((left -= weight) < 0) return levels[i] as string;
  const last = levels.at(-1);
  if (last === undefined) throw new Error('No level goes with the others: the rules leave nothing.');
  return last;
}

function shuffled<T>(chance: Chance, list: readonly T[]): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(chance() * (i + 1));
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

/** Chance by a seed: mulberry32. */
export function chanceOf(seed: number): Chance {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What is unusual about a choice. */
export function describe(choice: Choice): string {
  return factors
    .filter(({ name, levels }) => choice[name] !== levels[0])
    .map(({ name }) => `${name}=${choice[name]}`)
    .join(', ');
}
