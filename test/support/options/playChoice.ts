/** Makes a call as a {@link Choice} says, and holds what comes of it against what a plain `map` would give. */

import { isDeepStrictEqual } from 'node:util';
import { from, lastValueFrom, materialize, toArray, type Observable, type OperatorFunction } from 'rxjs';
import type { WorkerPool } from 'rxjs-parallel-map';
import { parallelFrom, parallelMap, parallelMergeMap } from '../library.js';
import type { Choice } from './factors.js';
import { exit, failingInit, init, makeMerge, makeTask, type Answer } from './work.js';

export class Point {
  constructor(
    readonly x: number,
    readonly label: string,
  ) {}
}

export class Day extends Date {
  label = 'day';
}

export class Names extends Map<string, unknown> {
  label = 'names';
}

/** Where a call is made. */
export interface OptionPlace {
  openPool(options: object): WorkerPool;
  makeFolder(): string;
  /** Milliseconds after which a task that hangs is ended. */
  readonly taskTimeout: number;
}

const makers: Readonly<Record<string, (id: number) => unknown>> = {
  number: (id) => id,
  string: (id) => `value ${id}`,
  buffer: (id) => Buffer.from(`buffer ${id}`),
  instance: (id) => new Point(id, 'point'),
  day: (id) => new Day(id),
  names: (id) => new Names([['a', new Point(id, 'inside')]]),
  record: (id) => ({ id, list: [1, { two: 2 }], map: new Map([[id, new Set([id])]]), at: new Date(id) }),
  error: (id) => new RangeError(`error ${id}`, { cause: { id } }),
  bytes: (id) => new Uint8Array([id, 1, 2]),
  undefined: () => undefined,
  nested: (id) => [[[{ id, point: new Point(id, 'deep'), buffer: Buffer.from([id]) }]]],
};

const classNames: Readonly<Record<string, string>> = {
  number: 'Number',
  string: 'String',
  buffer: 'Buffer',
  instance: 'Point',
  day: 'Day',
  names: 'Names',
  record: 'Object',
  error: 'RangeError',
  bytes: 'Uint8Array',
  undefined: 'undefined',
  nested: 'Array',
};

/** What a value is where its class is not known. */
const plainNames: Readonly<Record<string, string>> = { Point: 'Object', Day: 'Date', Names: 'Map' };

/** How a call has gone. */
interface Outcome {
  readonly results: unknown[];
  readonly error: unknown;
  readonly failed: boolean;
}

const notTold = 'thing';

export async function playChoice(choice: Choice, place: OptionPlace): Promise<void> {
  const { method, value: kind, failure } = choice as Record<string, string>;
  const size = Number(choice['size']);
  const is = (name: string, level = 'given'): boolean => choice[name] === level;
  const failing = failure === 'none' ? -1 : size >> 1;
  const settings = {
    task: choice['task'] as string,
    failure: failure as string,
    failing,
    folder: is('death', 'once') ? place.makeFolder() : undefined,
    dying: Math.max(0, size - 2),
    reports: is('onProgress'),
  };
  const valueAt = (id: number): unknown =>
    failure === 'bad input' && id === failing
      ? { bad: () => notTold }
      : (makers[kind as string] as (id: number) => unknown)(id);
  const values = Array.from({ length: size }, (_, id) => valueAt(id));
  const numbers = (name: string): object => (is(name, 'none') ? {} : { [name]: Number(choice[name]) });
  const trues = (name: string): object => (is(name, 'true') ? { [name]: true } : {});
  const pool = place.openPool({
    ...numbers('nJobs'),
    ...trues('keepAlive'),
    ...trues('orderTasks'),
    ...trues('insights'),
    ...(is('sharedObjects') ? { sharedObjects: { shared: 1 } } : {}),
    ...(is('startTimeout', 'long') ? { startTimeout: 60_000 } : {}),
  });
  const seen = { reports: [] as unknown[], exits: undefined as unknown[] | undefined, insights: 0, bar: '' };
  const controller = new AbortController();
  const reason = new Error('the reason');
  const options = {
    ...numbers('chunkSize'),
    ...numbers('nSplits'),
    ...numbers('maxTasksActive'),
    ...numbers('tasksPerWorker'),
    ...(is('transferInput')
      ? { transferInput: (value: unknown) => (value instanceof Uint8Array && kind === 'bytes' ? [value.buffer] : []) }
      : {}),
    ...(is('progressBar') ? { progressBar: { stream: { write: (text: string) => (seen.bar += text) } } } : {}),
    ...(is('signal', 'none') ? {} : { signal: controller.signal }),
    ...(is('taskTimeout') ? { taskTimeout: place.taskTimeout } : {}),
    ...(is('workerInit') ? { workerInit: init } : is('workerInit', 'throws') ? { workerInit: failingInit } : {}),
    ...(is('workerExit') ? { workerExit: exit } : {}),
    ...(is('workerInitTimeout') ? { workerInitTimeout: 20_000 } : {}),
    ...(is('workerExitTimeout') ? { workerExitTimeout: 20_000 } : {}),
    ...numbers('workerLifespan'),
    ...numbers('workerDeathRetries'),
    ...trues('settle'),
    ...numbers('cancelTimeout'),
    ...(is('classes') ? { classes: [Point, Day, Names] } : {}),
    ...(is('onProgress') ? { onProgress: ({ index }: { index: number }) => seen.reports.push(index) } : {}),
    ...(is('concatenate', 'false') ? { concatenate: false } : {}),
    ...(is('onExitResults') ? { onExitResults: (results: unknown[]) => (seen.exits = results) } : {}),
    ...(is('onInsights') ? { onInsights: () => seen.insights++ } : {}),
    ...(is('bufferSize', 'large') ? { bufferSize: 1000 } : {}),
    ...(is('overflow', 'drop-oldest') ? { overflow: 'drop-oldest' } : {}),
  };
  if (is('signal', 'fires')) setTimeout(() => controller.abort(reason), 12);
  const outcome = await call(method as string, values, settings, pool, options);
  check(outcome);
  if (is('insights', 'true')) pool.getInsights();
  // It lives on.
  const after = await pool.map((n: number) => n * 2, [1, 2, 3]);
  expectSame(after, [2, 4, 6], 'a call after it');
  if (is('end', 'terminate')) await pool.terminate();
  else await pool.stopAndJoin();
  if (is('workerExit') && is('end', 'join') && !outcome.failed) {
    const exits = pool.getExitResults();
    // A worker that was killed, or was sent nothing, has none.
    const isSure = size > 0 && failure === 'none' && !is('death', 'once');
    if (isSure && exits.length === 0 && seen.exits === undefined) throw new Error('There are no exit results.');
    for (const each of exits) expectSame(each, 'exit', 'an exit result');
  }

  function check({ results, error, failed }: Outcome): void {
    const isMerge = method === 'parallelMergeMap';
    const isOrdered = method !== 'mapUnordered' && method !== 'imapUnordered' && method !== 'parallelMap unordered';
    const settles = is('settle', 'true');
    const fails = failing >= 0 && size > 0;
    const isBadInput = fails && failure === 'bad input';
    // What cannot be sent needs no worker.
    const isInitFailed = is('workerInit', 'throws') && size > (isBadInput ? 1 : 0);
    const answerAt = (id: number, part: number): Answer => {
      const name = classNames[kind as string] as string;
      const className = is('classes') ? name : (plainNames[name] ?? name);
      const base = is('workerInit') ? 'base' : undefined;
      return [id, className, expectedOf(valueAt(id)), base, is('sharedObjects') ? { shared: 1 } : undefined, part];
    };
    const expectedOf = (value: unknown): unknown => (is('classes') ? value : structuredKeepingBuffers(value));
    const expected: unknown[] = [];
    let end = size;
    for (let id = 0; id < size; id++) {
      for (let part = 0; part < (isMerge ? 2 : 1); part++) {
        if (fails && id === failing) {
          if (settles) expected.push({ status: 'rejected' });
          else if (end === size) end = expected.length;
          break;
        }
        const answer = answerAt(id, part);
        expected.push(settles ? { status: 'fulfilled', value: answer } : answer);
      }
    }
    const found = results.map((result) => {
      const record = result as { readonly status: string; readonly reason: unknown };
      if (!settles || record.status === 'fulfilled') return result;
      checkFailure(record.reason);
      return { status: 'rejected' };
    });
    const aborted = is('signal', 'fires') && error === reason;
    if (failed && !aborted) {
      if (isInitFailed) {
        // Which of them comes first, is a matter of time.
        if (isBadInput && !settles && (error as Error).name === 'UnserializableError') checkFailure(error);
        else if ((error as Error).message !== 'the init function fails')
          throw wrong('the error of the init function', error);
      } else if (fails && !settles) checkFailure(error);
      else throw wrong('no error', error);
    }
    const mustFail = isInitFailed || (fails && !settles);
    if (!failed && mustFail) throw new Error(`The call has not failed, but given ${found.length} results.`);
    if (!isOrdered) {
      const left = [...expected];
      for (const each of found) {
        const at = left.findIndex((other) => isDeepStrictEqual(each, other));
        if (at < 0) throw wrong('one of the results', each);
        left.splice(at, 1);
      }
      if (!failed && left.length > 0) throw new Error(`${left.length} results are missing.`);
    } else if (!failed) expectSame(found, expected, 'the results');
    else {
      const isPull = method === 'map' || method === 'apply';
      const before = isPull || isInitFailed || aborted ? found : expected.slice(0, end);
      expectSame(
        found,
        isInitFailed || aborted ? expected.slice(0, found.length) : before,
        'the results before the error',
      );
    }
    if (failed || is('death', 'once')) return;
    if (is('onProgress')) {
      const reported = [...(seen.reports as number[])].sort((a, b) => a - b);
      const all = Array.from({ length: size }, (_, id) => id).filter(
        (id) => !(failure === 'bad input' && id === failing),
      );
      expectSame(reported, all, 'the reports');
    }
    if (is('onInsights')) expectSame(seen.insights, 1, 'the calls of onInsights');
    if (is('progressBar') && size > 0 && seen.bar === '') throw new Error('The progress bar has shown nothing.');
  }

  function checkFailure(error: unknown): void {
    const { name, message } = error as Error;
    const isIt = {
      throws: name === 'RangeError' && message === `thrown by ${failing}`,
      'bad result': name === 'UnserializableError' && (error as { direction: string }).direction === 'result',
      'bad input': name === 'UnserializableError' && (error as { direction: string }).direction === 'input',
      hangs: name === 'WorkerTimeoutError',
    }[failure as string];
    if (isIt !== true) throw wrong(`the failure "${failure}"`, error);
    if ((error as { index?: number }).index !== failing) throw wrong(`the index ${failing}`, error);
  }
}

/** What arrives of a value whose classes are not known: structured clone, but Buffers stay Buffers. */
function structuredKeepingBuffers(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof Names) return new Map([...value].map(([key, part]) => [key, structuredKeepingBuffers(part)]));
  if (Array.isArray(value)) return value.map(structuredKeepingBuffers);
  if (value instanceof Point) return { x: value.x, label: value.label };
  if (
    value !== null &&
    typeof value === 'object' &&
    Object.getPrototypeOf(value) === Object.prototype &&
    'point' in value
  )
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, structuredKeepingBuffers(part)]));
  try {
    return structuredClone(value);
  } catch {
    return value;
  }
}

async function call(
  method: string,
  values: unknown[],
  settings: Parameters<typeof makeTask>[0],
  pool: WorkerPool,
  options: object,
): Promise<Outcome> {
  const task = makeTask(settings);
  switch (method) {
    case 'map':
    case 'mapUnordered':
      return settled(method === 'map' ? pool.map(task, values, options) : pool.mapUnordered(task, values, options));
    case 'apply':
      return settled(pool.apply(task as never, [values[0]] as never, options).then((result) => [result]));
    case 'imap':
    case 'imapUnordered': {
      const results: unknown[] = [];
      try {
        for await (const each of pool[method](task, values, options)) results.push(each);
        return { results, error: undefined, failed: false };
      } catch (error) {
        return { results, error, failed: true };
      }
    }
    case 'parallelFrom':
      return observed(parallelFrom(values, task, { pool, ...options }));
    case 'parallelMergeMap':
      return observed(
        from(values).pipe(
          parallelMergeMap(makeMerge(settings), { pool, ...options }) as OperatorFunction<unknown, unknown>,
        ),
      );
    default: {
      const ordered = method === 'parallelMap unordered' ? { ordered: false } : {};
      return observed(from(values).pipe(parallelMap(task, { pool, ...ordered, ...options })));
    }
  }
}

async function settled(promise: Promise<unknown[]>): Promise<Outcome> {
  try {
    return { results: await promise, error: undefined, failed: false };
  } catch (error) {
    return { results: [], error, failed: true };
  }
}

async function observed(source: Observable<unknown>): Promise<Outcome> {
  const events = await lastValueFrom(source.pipe(materialize(), toArray()));
  const results = events.flatMap((event) => (event.kind === 'N' ? [event.value] : []));
  const last = events.at(-1);
  return { results, error: last?.kind === 'E' ? last.error : undefined, failed: last?.kind === 'E' };
}

function expectSame(found: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(found, expected)) throw wrong(what, found, expected);
}

function wrong(what: string, found: unknown, expected?: unknown): Error {
  const text = (value: unknown): string =>
    value instanceof Error ? String(value.stack) : (JSON.stringify(value) ?? String(value));
  return new Error(`Not ${what}: ${text(found)}${expected === undefined ? '' : `, but ${text(expected)}`}`);
}
