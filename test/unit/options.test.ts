import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { inspect } from 'node:util';
import { availableParallelism } from 'node:os';
import { runInNewContext } from 'node:vm';
import { moduleTask } from '../../src/moduleTask.js';
import {
  operatorArguments,
  resolveApplyOptions,
  resolveCallOptions,
  resolveFromOptions,
  resolveOperatorOptions,
  resolvePoolOptions,
  startMethodNames,
  type CallOptions,
  type CallSettings,
  type MapOperatorOptions,
  type OperatorSettings,
  type PoolSettings,
  type WorkerPoolOptions,
} from '../../src/options.js';
import { isWorkerPool, poolBrand, version } from '../../src/internal/options/poolBrand.js';
import { thrownBy } from '../support/rejection.js';

/** What `act` throws. */
/** The only thing that options look at in a pool. */
const pool = { [poolBrand]: { version, runner: {} }, stopAndJoin: async () => {}, terminate: async () => {} };

const poolDefaults = {
  nJobs: availableParallelism(),
  startMethod: 'threading',
  daemon: true,
  keepAlive: false,
  sharedObjects: undefined,
  cpuIds: undefined,
  orderTasks: false,
  insights: undefined,
  startTimeout: 60_000,
  env: undefined,
  argv: [],
  execArgv: undefined,
  resourceLimits: undefined,
  name: undefined,
};
const callDefaults = {
  signal: undefined,
  taskTimeout: Infinity,
  workerInit: undefined,
  workerExit: undefined,
  workerInitTimeout: Infinity,
  workerExitTimeout: Infinity,
  workerLifespan: Infinity,
  workerDeathRetries: 0,
  settle: false,
  cancelTimeout: 100,
  captures: undefined,
  setup: true,
  classes: undefined,
  onProgress: undefined,
  chunkSize: undefined,
  nSplits: undefined,
  maxTasksActive: undefined,
  tasksPerWorker: 1,
  transferInput: undefined,
  progressBar: undefined,
};
const fromDefaults = {
  pool: poolDefaults,
  call: callDefaults,
  ordered: true,
  onExitResults: undefined,
  onInsights: undefined,
};
const operatorDefaults = { ...fromDefaults, bufferSize: Infinity, overflow: 'error' };

/** Each place that takes options: its defaults and the names that it knows. */
const shareNames = ['chunkSize', 'nSplits', 'maxTasksActive', 'tasksPerWorker', 'transferInput', 'progressBar'];
const applyNames = [
  'signal',
  'taskTimeout',
  'workerInit',
  'workerExit',
  'workerInitTimeout',
  'workerExitTimeout',
  'workerLifespan',
  'workerDeathRetries',
  'settle',
  'cancelTimeout',
  'captures',
  'setup',
  'classes',
  'onProgress',
];
const callNames = [...shareNames, ...applyNames];
const poolNames = [
  'nJobs',
  'startMethod',
  'daemon',
  'keepAlive',
  'sharedObjects',
  'cpuIds',
  'orderTasks',
  'insights',
  'startTimeout',
  'env',
  'argv',
  'execArgv',
  'resourceLimits',
  'name',
];
const fromNames = [...poolNames, ...callNames, 'ordered', 'pool', 'onExitResults', 'onInsights'];
const operatorNames = [...fromNames, 'bufferSize', 'overflow'];
const places = [
  { caller: 'WorkerPool', resolve: resolvePoolOptions, defaults: poolDefaults, names: poolNames },
  { caller: 'WorkerPool.map', resolve: resolveCallOptions, defaults: callDefaults, names: callNames },
  { caller: 'WorkerPool.apply', resolve: resolveApplyOptions, defaults: callDefaults, names: applyNames },
  { caller: 'parallelMap', resolve: resolveOperatorOptions, defaults: operatorDefaults, names: operatorNames },
  { caller: 'parallelFrom', resolve: resolveFromOptions, defaults: fromDefaults, names: fromNames },
];

describe('options', () => {
  describe('values', () => {
    const signal = AbortSignal.abort();
    const lookalike = { aborted: false, addEventListener() {} };

    /** Each option: where its setting is found, what is right, and what is wrong, by the error that it is. */
    const options: {
      [Name in keyof Required<MapOperatorOptions>]: {
        setting: (settings: OperatorSettings) => unknown;
        right: unknown[];
        types: unknown[];
        ranges: unknown[];
      };
    } = {
      nJobs: {
        setting: ({ pool }) => (pool as PoolSettings).nJobs,
        right: [1, 2, 1000, Number.MAX_SAFE_INTEGER],
        types: ['4', '', [], {}, true, false, 4n, Symbol('4'), () => 4, new Number(4), new Date()],
        ranges: [0, -0, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 53],
      },
      startMethod: {
        setting: ({ pool }) => (pool as PoolSettings).startMethod,
        right: [...startMethodNames],
        types: [null, 1, true, [], ['spawn'], {}, () => 'spawn', new String('spawn')],
        ranges: ['', 'Threading', 'thread', ' spawn', 'toString', '__proto__', 'x'.repeat(1000)],
      },
      daemon: {
        setting: ({ pool }) => (pool as PoolSettings).daemon,
        right: [true, false],
        types: [null, 0, 1, 'true', [], {}],
        ranges: [],
      },
      keepAlive: {
        setting: ({ pool }) => (pool as PoolSettings).keepAlive,
        right: [true, false],
        types: [null, 0, 1, 'false', [], {}],
        ranges: [],
      },
      chunkSize: {
        setting: ({ call }) => call.chunkSize,
        right: [1, 64],
        types: [null, '1', [1], {}, true, 1n],
        ranges: [0, -1, 0.5, NaN, Infinity, 2 ** 53],
      },
      nSplits: {
        setting: ({ call }) => call.nSplits,
        right: [1, 64],
        types: [null, '1', [1], {}, true, 1n],
        ranges: [0, -1, 0.5, NaN, Infinity, 2 ** 53],
      },
      transferInput: {
        setting: ({ call }) => call.transferInput,
        right: [() => [], (value: { buffer: ArrayBuffer }) => [value.buffer]],
        types: [null, 1, true, 'buffer', [], {}],
        ranges: [],
      },
      startTimeout: {
        setting: ({ pool }) => (pool as PoolSettings).startTimeout,
        right: [0.5, 1, 1000, 2 ** 31 - 1, Infinity],
        types: [null, '100', [], {}, false, 100n],
        ranges: [0, -0, -1, -Infinity, NaN],
      },
      orderTasks: {
        setting: ({ pool }) => (pool as PoolSettings).orderTasks,
        right: [true, false],
        types: [null, 0, 1, 'true', [], {}],
        ranges: [],
      },
      maxTasksActive: {
        setting: ({ call }) => call.maxTasksActive,
        right: [1, 64],
        types: [null, '1', [1], {}, true, 1n],
        ranges: [0, -1, 0.5, NaN, Infinity, 2 ** 53],
      },
      tasksPerWorker: {
        setting: ({ call }) => call.tasksPerWorker,
        right: [1, 64],
        types: [null, '1', [1], {}, true, 1n],
        ranges: [0, -1, 0.5, NaN, Infinity, 2 ** 53],
      },
      signal: {
        setting: ({ call }) => call.signal,
        right: [signal, new AbortController().signal, lookalike],
        types: [
          null,
          true,
          'abort',
          {},
          [],
          () => {},
          new AbortController(),
          { aborted: false },
          { ...lookalike, aborted: 0 },
        ],
        ranges: [],
      },
      captures: {
        setting: ({ call }) => call.captures,
        right: [{}, { a: 1 }, Object.create(null)],
        types: [1, 'a', true, null, [], () => ({})],
        ranges: [],
      },
      setup: {
        setting: ({ call }) => call.setup,
        right: [true, false],
        types: [null, 0, 1, 'true', [], {}],
        ranges: [],
      },
      classes: {
        setting: ({ call }) => call.classes,
        right: [[class {}], [class A {}, class B {}]],
        types: [1, 'a', true, null, {}, class {}, [1], [{}], [() => {}], [null]],
        ranges: [],
      },
      taskTimeout: {
        setting: ({ call }) => call.taskTimeout,
        right: [0.5, 1, 1000, 2 ** 31 - 1, Infinity],
        types: [null, '100', [], {}, false, 100n],
        ranges: [0, -0, -1, -Infinity, NaN],
      },
      workerInit: {
        setting: ({ call }) => call.workerInit,
        right: [() => {}, async () => {}, moduleTask('/work.js'), new URL('file:///work.js')],
        types: [null, 1, true, 'init', [], {}, class {}],
        ranges: [],
      },
      workerExit: {
        setting: ({ call }) => call.workerExit,
        right: [() => {}, async () => {}, moduleTask('/work.js'), new URL('file:///work.js')],
        types: [null, 1, true, 'exit', [], {}, class {}],
        ranges: [],
      },
      workerInitTimeout: {
        setting: ({ call }) => call.workerInitTimeout,
        right: [0.5, 1, 1000, 2 ** 31 - 1, Infinity],
        types: [null, '100', [], {}, false, 100n],
        ranges: [0, -0, -1, -Infinity, NaN],
      },
      workerExitTimeout: {
        setting: ({ call }) => call.workerExitTimeout,
        right: [0.5, 1, 1000, 2 ** 31 - 1, Infinity],
        types: [null, '100', [], {}, false, 100n],
        ranges: [0, -0, -1, -Infinity, NaN],
      },
      sharedObjects: {
        setting: ({ pool }) => (pool as PoolSettings).sharedObjects,
        right: [null, 0, '', 'text', [], {}, () => {}, new Map(), signal],
        types: [],
        ranges: [],
      },
      cpuIds: {
        setting: ({ pool }) => (pool as PoolSettings).cpuIds,
        right: [[0], [[0]]],
        types: [null, 0, '0', {}, ['0'], [null], [[true]], new Set([0])],
        ranges: [[], [[]], [-1], [0.5], [NaN], [[0, -1]], [1e6]],
      },
      onProgress: {
        setting: ({ call }) => call.onProgress,
        right: [() => {}, async () => {}],
        types: [null, 1, true, 'log', [], {}],
        ranges: [],
      },
      onExitResults: {
        setting: ({ onExitResults }) => onExitResults,
        right: [() => {}, async () => {}],
        types: [null, 1, true, 'log', [], {}],
        ranges: [],
      },
      workerLifespan: {
        setting: ({ call }) => call.workerLifespan,
        right: [1, 64, Infinity],
        types: [null, '1', [1], {}, true, 1n],
        ranges: [0, -1, 0.5, NaN, -Infinity, 2 ** 53],
      },
      onInsights: {
        setting: ({ onInsights }) => onInsights,
        right: [() => {}, async () => {}],
        types: [null, 1, true, 'log', [], {}],
        ranges: [],
      },
      insights: {
        setting: ({ pool }) => (pool as PoolSettings).insights,
        right: [],
        types: [null, 0, 'yes', [], {}, { each: 5 }, { every: 5, other: 1 }, { every: '5' }, () => true],
        ranges: [{ every: 0 }, { every: -1 }, { every: NaN }],
      },
      progressBar: {
        setting: ({ call }) => call.progressBar,
        right: [],
        types: [null, 0, 'yes', [], () => true, { size: 5 }, { total: '5' }, { stream: {} }, { description: 5 }],
        ranges: [{ total: -1 }, { throttle: 0 }, { throttle: NaN }],
      },
      env: {
        setting: ({ pool }) => (pool as PoolSettings).env,
        right: [],
        types: [null, 0, 'A=1', [], ['A=1'], () => ({}), { A: 1 }, { A: null }, new Map([['A', '1']])],
        ranges: [],
      },
      argv: {
        setting: ({ pool }) => (pool as PoolSettings).argv,
        right: [],
        types: [null, 0, '--verbose', {}, [1], ['a', undefined], new Set(['a'])],
        ranges: [],
      },
      execArgv: {
        setting: ({ pool }) => (pool as PoolSettings).execArgv,
        right: [],
        types: [null, 0, '--no-warnings', {}, [1], ['a', undefined]],
        ranges: [],
      },
      resourceLimits: {
        setting: ({ pool }) => (pool as PoolSettings).resourceLimits,
        right: [],
        types: [null, 0, '64', [], { maxOldGenerationSizeMb: '64' }, { maxOldSpace: 64 }, { stackSizeMb: 1 }],
        ranges: [
          { maxOldGenerationSizeMb: 0 },
          { maxOldGenerationSizeMb: -1 },
          { maxYoungGenerationSizeMb: NaN },
          { maxYoungGenerationSizeMb: Infinity },
        ],
      },
      name: {
        setting: ({ pool }) => (pool as PoolSettings).name,
        right: ['counter', '-', 'two words'],
        types: [null, 0, true, {}, ['name'], () => 'name'],
        ranges: [''],
      },
      workerDeathRetries: {
        setting: ({ call }) => call.workerDeathRetries,
        right: [0, 1, 10],
        types: [null, '1', [], {}, true],
        ranges: [-1, 0.5, NaN, Infinity, 2 ** 53],
      },
      settle: {
        setting: ({ call }) => call.settle,
        right: [true, false],
        types: [null, 0, 1, 'true', [], {}],
        ranges: [],
      },
      cancelTimeout: {
        setting: ({ call }) => call.cancelTimeout,
        right: [0, 0.5, 1000, 2 ** 31 - 1, Infinity],
        types: [null, '100', [], {}, false, 100n],
        ranges: [-1, -Infinity, NaN],
      },
      ordered: {
        setting: ({ ordered }) => ordered,
        right: [true, false],
        types: [null, 0, 'no', [], {}],
        ranges: [],
      },
      pool: {
        setting: (settings) => settings.pool,
        right: [pool, Object.create(pool)],
        types: [null, true, 4, 'pool', {}, [], () => pool, { stopAndJoin() {}, terminate() {} }],
        ranges: [],
      },
      bufferSize: {
        setting: ({ bufferSize }) => bufferSize,
        right: [0, 1, 1000, Infinity],
        types: [null, '1', [], {}, true],
        ranges: [-1, 0.5, NaN, -Infinity, 2 ** 53],
      },
      overflow: {
        setting: ({ overflow }) => overflow,
        right: ['error', 'drop-oldest', 'drop-newest'],
        types: [null, 0, [], {}, true, () => 'error'],
        ranges: ['', 'drop', 'Error', 'dropOldest', 'constructor'],
      },
    };

    it('of the resources of workers are copied', () => {
      const given = { env: { A: '1' }, argv: ['b'], execArgv: ['c'], resourceLimits: { maxOldGenerationSizeMb: 64 } };
      const settings = resolvePoolOptions(given, 'WorkerPool');
      for (const name of ['env', 'argv', 'execArgv', 'resourceLimits'] as const) {
        expect(settings[name]).to.deep.equal(given[name]);
        expect(settings[name]).to.not.equal(given[name]);
      }
      expect(resolvePoolOptions({ env: process.env }, 'WorkerPool').env).to.deep.equal({ ...process.env });
      expect(resolvePoolOptions({ env: { A: undefined, B: '' } }, 'WorkerPool').env).to.deep.equal({ B: '' });
    });

    it('of insights are settled as what repeats them', () => {
      const insightsOf = (insights: unknown) => resolvePoolOptions({ insights }, 'WorkerPool').insights;
      expect(insightsOf(true)).to.deep.equal({ every: Infinity });
      expect(insightsOf(false)).to.equal(undefined);
      expect(insightsOf({ every: 0.5 })).to.deep.equal({ every: 0.5 });
      expect(insightsOf({ every: 2 ** 31 })).to.deep.equal({ every: Infinity });
      const { pool } = resolveOperatorOptions({ onInsights() {} }, 'parallelMap');
      expect((pool as PoolSettings).insights).to.deep.equal({ every: Infinity });
    });

    for (const [name, { setting, right, types, ranges }] of Object.entries(options)) {
      describe(name, () => {
        it('is taken as given where it is right', () => {
          for (const value of right) {
            expect(setting(resolveOperatorOptions({ [name]: value }, 'parallelMap'))).to.equal(value);
          }
        });

        it('has its default where it is undefined', () => {
          expect(resolveOperatorOptions({ [name]: undefined }, 'parallelMap')).to.deep.equal(operatorDefaults);
        });

        it('is a TypeError or a RangeError that names caller and option', () => {
          const cases = [
            ...types.map((value) => ({ value, error: TypeError })),
            ...ranges.map((value) => ({ value, error: RangeError })),
          ];
          for (const { value, error } of cases) {
            const thrown = thrownBy(() => resolveOperatorOptions({ [name]: value }, 'parallelMap'));
            expect(thrown).to.be.an.instanceOf(error);
            expect(thrown.message).to.match(new RegExp(`^parallelMap: option "${name}" must be .+, got .+[.?]$`));
          }
        });
      });
    }

    it('reads nJobs: null as the number of CPUs', () => {
      expect(resolvePoolOptions({ nJobs: null }, 'WorkerPool').nJobs).to.equal(availableParallelism());
    });

    for (const name of ['taskTimeout', 'workerInitTimeout', 'workerExitTimeout', 'cancelTimeout'] as const) {
      it(`waits for ever where ${name} is longer than a timer can be`, () => {
        expect(resolveCallOptions({ [name]: 2 ** 31 }, 'WorkerPool.map')[name]).to.equal(Infinity);
      });
    }
  });

  describe('messages', () => {
    const cases: [options: object, message: string][] = [
      [{ nJobs: '4' }, `option "nJobs" must be a positive integer or null for the number of CPUs, got '4' (string).`],
      [{ nJobs: NaN }, 'option "nJobs" must be a positive integer or null for the number of CPUs, got NaN.'],
      [{ nJobs: -1 }, 'option "nJobs" must be a positive integer or null for the number of CPUs, got -1.'],
      [{ nJobs: 1.5 }, 'option "nJobs" must be a positive integer or null for the number of CPUs, got 1.5.'],
      [{ nJobs: -0 }, 'option "nJobs" must be a positive integer or null for the number of CPUs, got -0.'],
      [
        { nJobs: 2 ** 53 },
        'option "nJobs" must be a positive integer or null for the number of CPUs, got 9007199254740992. ' +
          'The largest is 9007199254740991.',
      ],
      [{ chunkSize: () => 1 }, 'option "chunkSize" must be a positive integer, got [Function].'],
      [{ chunkSize: 4n }, 'option "chunkSize" must be a positive integer, got 4n (bigint).'],
      [{ chunkSize: null }, 'option "chunkSize" must be a positive integer, got null.'],
      [{ chunkSize: Symbol('4') }, 'option "chunkSize" must be a positive integer, got Symbol(4).'],
      [{ chunkSize: {} }, 'option "chunkSize" must be a positive integer, got {}.'],
      [{ chunkSize: { a: 1 } }, 'option "chunkSize" must be a positive integer, got {…}.'],
      [{ chunkSize: [] }, 'option "chunkSize" must be a positive integer, got [].'],
      [{ chunkSize: [4] }, 'option "chunkSize" must be a positive integer, got […].'],
      [{ chunkSize: new Map() }, 'option "chunkSize" must be a positive integer, got [Map].'],
      [{ chunkSize: "it's\n" }, String.raw`option "chunkSize" must be a positive integer, got 'it\'s\n' (string).`],
      [
        { chunkSize: 'x'.repeat(999) },
        `option "chunkSize" must be a positive integer, got '${'x'.repeat(60)}…' (string).`,
      ],
      [{ tasksPerWorker: 0 }, 'option "tasksPerWorker" must be a positive integer, got 0.'],
      [{ workerLifespan: 0 }, 'option "workerLifespan" must be a positive integer, or Infinity, got 0.'],
      [{ workerDeathRetries: -1 }, 'option "workerDeathRetries" must be an integer of at least 0, got -1.'],
      [{ taskTimeout: 0 }, 'option "taskTimeout" must be a positive number of milliseconds, or Infinity, got 0.'],
      [
        { cancelTimeout: -1 },
        'option "cancelTimeout" must be a number of milliseconds of at least 0, or Infinity, got -1.',
      ],
      [{ bufferSize: 0.5 }, 'option "bufferSize" must be an integer of at least 0, or Infinity, got 0.5.'],
      [{ workerInit: 1 }, 'option "workerInit" must be a function, a moduleTask(url, exportName) or a URL, got 1.'],
      [
        { workerExit: class Model {} },
        'option "workerExit" must be a function, a moduleTask(url, exportName) or a URL, got [Function]. ' +
          'Wrap the class: () => new Model().',
      ],
      [{ onProgress: 'log' }, `option "onProgress" must be a function, got 'log' (string).`],
      [{ settle: 1 }, 'option "settle" must be true or false, got 1.'],
      [{ insights: 5 }, 'option "insights" must be true, false or { every: milliseconds }, got 5.'],
      [
        { insights: { every: 0 } },
        'option "insights" must be true, false or { every: milliseconds }, got {…}. ' +
          "Its 'every' must be a positive number of milliseconds, or Infinity, got 0.",
      ],
      [
        { insights: { evry: 5 } },
        `option "insights" must be true, false or { every: milliseconds }, got {…}. It has no 'evry'.`,
      ],
      [{ argv: ['a', 1] }, 'option "argv" must be an array of strings, got […]. Its [1] is 1.'],
      ...[
        [{ PORT: 80 }, `Its 'PORT' is 80.`],
        [{ A: 'a\0b' }, `Its 'A' is 'a\\u0000b' (string).`],
        [{ 'A=B': 'c' }, `Its 'A=B' is 'c' (string).`],
        [{ '': 'c' }, `Its '' is 'c' (string).`],
      ].map(
        ([env, advice]) =>
          [
            { env },
            'option "env" must be an object of strings, none with a NUL character, whose names are not empty and have no "=", ' +
              `got {…}. ${String(advice)}`,
          ] as never,
      ),
      [
        { resourceLimits: { maxOldGenerationSizeMb: -5 } },
        'option "resourceLimits" must be an object of positive numbers, maxOldGenerationSizeMb and ' +
          `maxYoungGenerationSizeMb, got {…}. Its 'maxOldGenerationSizeMb' is -5.`,
      ],
      [{ name: '' }, `option "name" must be a string that is not empty, got '' (string).`],
      [{ onExitResults: true }, 'option "onExitResults" must be a function, got true.'],
      [{ daemon: 1 }, 'option "daemon" must be true or false, got 1.'],
      [{ pool: {} }, 'option "pool" must be a WorkerPool, got {}.'],
      [{ signal: 1 }, 'option "signal" must be an AbortSignal, got 1.'],
      [
        { signal: new AbortController() },
        'option "signal" must be an AbortSignal, got [AbortController]. ' +
          'Give the signal property of the AbortController.',
      ],
    ];
    for (const [options, message] of cases) {
      it(`for ${inspect(options, { maxStringLength: 20 })}`, () => {
        expect(thrownBy(() => resolveOperatorOptions(options, 'parallelMap')).message).to.equal(
          `parallelMap: ${message}`,
        );
      });
    }
  });

  describe('startMethod', () => {
    const threading = "Did you mean 'threading' (a worker is a thread of this program)?";
    const spawn = "Did you mean 'spawn' (a worker is a fresh Node process)?";
    const forkserver = "Did you mean 'forkserver' (a worker is a copy of a small process)?";
    const fork = "Did you mean 'fork' (a worker is a copy of a process that has loaded the function)?";
    const foreign = [
      ...['thread', 'threads', 'Threading', 'THREADING', 'threding', 'worker_threads', 'Web Worker'].map(
        (name) => [name, threading] as const,
      ),
      ...['Spawn', 'spwan', 'process', 'child_process'].map((name) => [name, spawn] as const),
      ...['fork_server', 'ForkServer'].map((name) => [name, forkserver] as const),
      ...['Fork', 'forked', 'forking'].map((name) => [name, fork] as const),
    ];
    for (const [name, suggestion] of foreign) {
      it(`lists what is allowed and suggests one for '${name}'`, () => {
        const { message } = thrownBy(() => resolvePoolOptions({ startMethod: name }, 'WorkerPool'));
        for (const known of startMethodNames) expect(message).to.contain(`'${known}'`);
        expect(message.endsWith(`got '${name}' (string). ${suggestion}`), message).to.equal(true);
      });
    }

    it('suggests nothing for what resembles none', () => {
      const { message } = thrownBy(() => resolvePoolOptions({ startMethod: 'quantum' }, 'WorkerPool'));
      expect(message).not.to.contain('Did you mean');
    });
  });

  describe('the options object', () => {
    for (const { caller, resolve, defaults, names } of places) {
      describe(`of ${caller}`, () => {
        it('may be missing or empty', () => {
          expect(resolve(undefined, caller)).to.deep.equal(defaults);
          expect(resolve({}, caller)).to.deep.equal(defaults);
        });

        it('must be an object', () => {
          for (const value of [null, 0, '', 'x', Symbol('x'), [], () => {}, new Map(), new Date(), 1n]) {
            const thrown = thrownBy(() => resolve(value, caller));
            expect(thrown).to.be.an.instanceOf(TypeError);
            expect(thrown.message).to.match(new RegExp(`^${caller}: options must be an object(?: such as .+)?, got `));
          }
        });

        it('is not read beyond its own enumerable properties', () => {
          const wrong = Object.fromEntries(names.map((name) => [name, { wrong: true }]));
          const hidden = Object.defineProperty(Object.create(wrong) as object, 'nope', { value: 1, enumerable: false });
          expect(resolve(hidden, caller)).to.deep.equal(defaults);
        });

        it('is the same whatever Object.prototype was polluted with', () => {
          const rowKeys = ['advice', 'aliases', 'allowed', 'default', 'fault', 'normalise', 'nullMeans'];
          const polluted = [...operatorNames, ...rowKeys, 'isAdmin'];
          for (const name of polluted) {
            Object.defineProperty(Object.prototype, name, {
              configurable: true,
              enumerable: true,
              get: () => 'polluted',
              set() {
                throw new Error(`Object.prototype.${name} was set`);
              },
            });
          }
          let settings: object;
          try {
            settings = ownOf(resolve({}, caller));
          } finally {
            for (const name of polluted) delete (Object.prototype as Record<string, unknown>)[name];
          }
          expect(settings).to.deep.equal(defaults);
        });

        it('may have no prototype, another realm, a class of its own', () => {
          class PoolPreset {
            nJobs = 3;
          }
          class CallPreset {
            cancelTimeout = 5;
          }
          const own = caller === 'WorkerPool' ? new PoolPreset() : new CallPreset();
          const bare = Object.assign(Object.create(null) as object, own);
          const foreign: unknown = runInNewContext(`(${JSON.stringify(own)})`);
          const expected = resolve(Object.fromEntries(Object.entries(own)), caller);
          expect(expected).not.to.deep.equal(defaults);
          for (const options of [bare, foreign, own]) expect(resolve(options, caller)).to.deep.equal(expected);
        });

        it('has each property read once, also one with a getter', () => {
          const reads: string[] = [];
          const options = {};
          for (const name of names) {
            Object.defineProperty(options, name, { enumerable: true, get: () => void reads.push(name) });
          }
          resolve(options, caller);
          expect(reads).to.deep.equal(names);
        });

        it('is a TypeError with an unknown name, which lists the known ones', () => {
          for (const name of [
            'quux',
            '',
            '0',
            'constructor',
            '__proto__',
            'toString',
            'hasOwnProperty',
            'x'.repeat(99),
          ]) {
            const options: unknown = JSON.parse(`{ ${JSON.stringify(name)}: 1 }`);
            const thrown = thrownBy(() => resolve(options, caller));
            expect(thrown).to.be.an.instanceOf(TypeError);
            expect(thrown.message).to.equal(
              `${caller}: unknown option "${name}". The options are ` +
                `${names.slice(0, -1).join(', ')} and ${names.at(-1)}.`,
            );
          }
        });

        it('is refused with an unknown name even when that is undefined', () => {
          expect(() => resolve({ quux: undefined }, caller)).to.throw(TypeError, 'unknown option "quux"');
        });

        it('may have an option of another place only as undefined', () => {
          for (const name of operatorNames.filter((other) => !names.includes(other))) {
            expect(resolve({ [name]: undefined }, caller)).to.deep.equal(defaults);
            expect(() => resolve({ [name]: 1 }, caller)).to.throw(
              TypeError,
              `${caller}: option "${name}" is not accepted here, only by `,
            );
          }
        });

        it('gives settings with the same keys in the same order, whatever was given', () => {
          const keysOf = (settings: object) =>
            JSON.stringify(settings, (_, value: unknown) => value ?? null).match(/"\w+":/g);
          const given = { keepAlive: true, nJobs: 2, cancelTimeout: 1, ordered: false, chunkSize: 1, bufferSize: 1 };
          const accepted = Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name)));
          expect(keysOf(resolve(accepted, caller))).to.deep.equal(keysOf(resolve(undefined, caller)));
        });
      });
    }

    it('shows how to give what was passed in its place', () => {
      const cases: [act: () => unknown, message: string][] = [
        [
          () => resolvePoolOptions(4, 'WorkerPool'),
          'WorkerPool: options must be an object such as { nJobs: 4 }, got 4.',
        ],
        [
          () => resolvePoolOptions('spawn', 'WorkerPool'),
          "WorkerPool: options must be an object such as { startMethod: 'spawn' }, got 'spawn' (string).",
        ],
        [
          () => resolveCallOptions(AbortSignal.abort(), 'WorkerPool.map'),
          'WorkerPool.map: options must be an object such as { signal: … }, got [AbortSignal].',
        ],
      ];
      for (const [act, message] of cases) expect(thrownBy(act).message).to.equal(message);
    });

    it('is not a pool', () => {
      class Pool {
        get [poolBrand]() {
          return { version, runner: {} };
        }
      }
      expect(() => resolveOperatorOptions(new Pool(), 'parallelMap')).to.throw(TypeError, 'such as { pool: … }');
      expect(() => resolveCallOptions(new Pool(), 'WorkerPool.map')).to.throw(TypeError, 'options must be an object');
    });
  });

  describe('unknown names', () => {
    const meant: { [Name in keyof MapOperatorOptions]: string[] } = {
      nJobs: [
        'njobs',
        'n_jobs',
        'NJOBS',
        'n-jobs',
        'nJob',
        'concurrency',
        'maxWorkers',
        'max_workers',
        'workers',
        'threads',
      ],
      startMethod: ['start_method', 'startmethod', 'StartMethod', 'startMehtod', 'workerType'],
      daemon: ['deamon', 'Daemon', 'demon'],
      keepAlive: ['keep_alive', 'keepalive', 'keepAlives'],
      chunkSize: ['chunk_size', 'chunksize', 'batchSize'],
      nSplits: ['n_splits', 'nsplits', 'nChunks'],
      transferInput: ['transfer_input', 'transferInputs', 'transferList'],
      startTimeout: ['start_timeout', 'startupTimeout', 'startTimout'],
      orderTasks: ['order_tasks', 'ordertasks', 'roundRobin'],
      maxTasksActive: ['max_tasks_active', 'maxTaskActive', 'maxInFlight'],
      tasksPerWorker: ['tasks_per_worker', 'taskPerWorker', 'concurrentTasksPerWorker'],
      signal: ['abortSignal', 'singal', 'Signal'],
      taskTimeout: ['task_timeout', 'timeout', 'taskTimeOut', 'timeLimit', 'taskTimout'],
      workerInit: ['worker_init', 'init', 'initializer', 'workerinit'],
      workerExit: ['worker_exit', 'exit', 'workerExti', 'teardown'],
      workerInitTimeout: ['worker_init_timeout', 'initTimeout', 'workerInitTimout'],
      workerExitTimeout: ['worker_exit_timeout', 'exitTimeout', 'workerExitTimout'],
      sharedObjects: ['shared_objects', 'sharedObject', 'shared'],
      cpuIds: ['cpu_ids', 'cpuId', 'affinity', 'cpuids'],
      insights: ['insight', 'enable_insights', 'stats', 'metrics'],
      progressBar: ['progress_bar', 'progressbar', 'progressBars'],
      env: ['ENV', 'environment', 'envs'],
      argv: ['args', 'Argv'],
      execArgv: ['exec_argv', 'execArgs', 'execargv'],
      resourceLimits: ['resource_limits', 'resourceLimit', 'limits'],
      name: ['Name', 'names', 'title', 'workerName'],
      onInsights: ['onInsight', 'oninsights', 'onStats'],
      onExitResults: ['onExitResult', 'exitResults', 'onexitresults'],
      workerLifespan: ['worker_lifespan', 'lifespan', 'workerLifeSpan', 'maxTasksPerWorker'],
      workerDeathRetries: ['worker_death_retries', 'workerDeathRetry'],
      onProgress: ['onprogress', 'on_progress', 'onProgess'],
      settle: ['Settle', 'settled', 'allSettled', 'stopOnError'],
      cancelTimeout: ['canceltimeout', 'cancelTimout', 'gracePeriod'],
      ordered: ['order', 'orderd', 'preserveOrder'],
      pool: ['Pool', 'poll', 'workerPool'],
      bufferSize: ['buffersize', 'buffer_size', 'maxQueueSize', 'highWaterMark'],
      overflow: ['overFlow', 'overflows', 'overflowStrategy'],
    };
    for (const [name, words] of Object.entries(meant)) {
      it(`suggest "${name}" where it is meant`, () => {
        for (const word of words) {
          expect(thrownBy(() => resolveOperatorOptions({ [word]: 1 }, 'parallelMap')).message).to.contain(
            `parallelMap: unknown option "${word}". Did you mean "${name}"? The options are nJobs, startMethod,`,
          );
        }
      });
    }

    it('say so where the option that is meant belongs elsewhere', () => {
      expect(thrownBy(() => resolveCallOptions({ concurrency: 4 }, 'WorkerPool.map')).message).to.equal(
        'WorkerPool.map: unknown option "concurrency". Did you mean "nJobs", which is accepted by new WorkerPool(), parallelMap, ' +
          'parallelMergeMap and parallelFrom? ' +
          `The options are ${callNames.slice(0, -1).join(', ')} and ${callNames.at(-1)}.`,
      );
    });
  });

  describe('in the wrong place', () => {
    const cases: [act: () => unknown, message: string][] = [
      [
        () => resolvePoolOptions({ ordered: false }, 'WorkerPool'),
        'WorkerPool: option "ordered" is not accepted here, only by parallelMap, parallelMergeMap and parallelFrom: ' +
          'a pool has "mapUnordered" and "imapUnordered" instead.',
      ],
      [
        () => resolvePoolOptions({ chunkSize: 1 }, 'WorkerPool'),
        'WorkerPool: option "chunkSize" is not accepted here, only by map, mapUnordered, imap and imapUnordered of a pool, ' +
          'and by parallelMap, parallelMergeMap and parallelFrom: it concerns a call on many values.',
      ],
      [
        () => resolvePoolOptions({ signal: AbortSignal.abort() }, 'WorkerPool'),
        'WorkerPool: option "signal" is not accepted here, only by each call on a pool, ' +
          'and by parallelMap, parallelMergeMap and parallelFrom: it concerns one call.',
      ],
      [
        () => resolveCallOptions({ nJobs: 4 }, 'WorkerPool.map'),
        'WorkerPool.map: option "nJobs" is not accepted here, only by new WorkerPool(), parallelMap, parallelMergeMap and ' +
          'parallelFrom: it describes the workers of a pool.',
      ],
      [
        () => resolveFromOptions({ bufferSize: 4 }, 'parallelFrom'),
        'parallelFrom: option "bufferSize" is not accepted here, only by parallelMap and parallelMergeMap: ' +
          'a pulled input is never buffered, use "maxTasksActive".',
      ],
    ];
    for (const [act, message] of cases) {
      it(message.slice(0, message.indexOf(' but ')), () => {
        const thrown = thrownBy(act);
        expect(thrown).to.be.an.instanceOf(TypeError);
        expect(thrown.message).to.equal(message);
      });
    }
  });

  describe('a given pool', () => {
    it('is used as it is', () => {
      expect(resolveOperatorOptions({ pool }, 'parallelMap').pool).to.equal(pool);
      expect(resolveFromOptions({ pool }, 'parallelFrom').pool).to.equal(pool);
    });

    it('has the version of the package', () => {
      const { version: expected } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
      expect(version).to.equal(expected);
    });

    it('of another version of the package is refused by that', () => {
      const other = { ...pool, [poolBrand]: { version: '9.9.9', runner: {} } };
      expect(() => resolveOperatorOptions({ pool: other as never }, 'parallelMap')).to.throw(
        TypeError,
        new RegExp(
          `^parallelMap: option "pool" must be a WorkerPool, .*It is of rxjs-parallel-map 9\\.9\\.9, and this is ${version}`,
        ),
      );
    });

    it('is known by its brand, its settings are not', () => {
      expect(isWorkerPool(pool)).to.equal(true);
      expect(isWorkerPool({ [Symbol.for('rxjs-parallel-map.pool')]: { version } })).to.equal(true);
      for (const other of [null, undefined, 4, 'pool', {}, resolvePoolOptions({}, 'WorkerPool')]) {
        expect(isWorkerPool(other)).to.equal(false);
      }
    });

    it('excludes each option that a pool is made with', () => {
      const poolOptions: WorkerPoolOptions = {
        nJobs: 4,
        startMethod: 'spawn',
        daemon: true,
        keepAlive: false,
        sharedObjects: null,
        cpuIds: [0],
        orderTasks: false,
        insights: false,
        startTimeout: 1000,
        env: {},
        argv: [],
        execArgv: [],
        resourceLimits: {},
        name: 'mine',
      };
      for (const [name, value] of Object.entries(poolOptions)) {
        for (const resolve of [resolveOperatorOptions, resolveFromOptions]) {
          const thrown = thrownBy(() => resolve({ [name]: value, pool }, 'parallelMap'));
          expect(thrown).to.be.an.instanceOf(TypeError);
          expect(thrown.message).to.equal(
            `parallelMap: option "pool" cannot be given together with "${name}", because the pool exists already. ` +
              `Pass "${name}" to its new WorkerPool() instead.`,
          );
        }
      }
      expect(() => resolveOperatorOptions({ pool, ...poolOptions }, 'parallelMap')).to.throw(
        TypeError,
        'together with "nJobs", "startMethod", "daemon", "keepAlive", "sharedObjects", "cpuIds", "orderTasks", "insights", "startTimeout", ' +
          '"env", "argv", "execArgv", "resourceLimits" and "name"',
      );
    });

    it('goes with those that are left to their default, and with all others', () => {
      const options = { pool, nJobs: null, startMethod: undefined, ordered: false, chunkSize: 2, bufferSize: 0 };
      expect(resolveOperatorOptions(options, 'parallelMap')).to.deep.equal({
        pool,
        call: { ...callDefaults, chunkSize: 2 },
        ordered: false,
        onExitResults: undefined,
        onInsights: undefined,
        bufferSize: 0,
        overflow: 'error',
      });
    });
  });

  describe('by position', () => {
    const resolve = (...args: unknown[]) => resolveOperatorOptions(operatorArguments(args), 'parallelMap');
    const withPool = (given: Partial<PoolSettings>) => ({ ...operatorDefaults, pool: { ...poolDefaults, ...given } });

    const cases: [args: unknown[], given: Partial<PoolSettings>][] = [
      [[], {}],
      [[undefined], {}],
      [[null], {}],
      [[4], { nJobs: 4 }],
      [[4, 'spawn'], { nJobs: 4, startMethod: 'spawn' }],
      [[4, 'spawn', false], { nJobs: 4, startMethod: 'spawn', daemon: false }],
      [[null, 'spawn'], { startMethod: 'spawn' }],
      [[undefined, undefined, false], { daemon: false }],
      [[4, undefined, undefined, undefined], { nJobs: 4 }],
      [[{ nJobs: 4 }], { nJobs: 4 }],
      [[{ nJobs: 4 }, undefined, undefined], { nJobs: 4 }],
    ];
    for (const [args, given] of cases) {
      it(`parallelMap(${['fn', ...args.map((argument) => JSON.stringify(argument) ?? 'undefined')].join(', ')})`, () => {
        expect(resolve(...args)).to.deep.equal(withPool(given));
      });
    }

    const wrong: [args: unknown[], error: ErrorConstructor, message: string][] = [
      [
        ['4'],
        TypeError,
        `parallelMap: option "nJobs" must be a positive integer or null for the number of CPUs, got '4' (string).`,
      ],
      [
        [() => {}],
        TypeError,
        'parallelMap: option "nJobs" must be a positive integer or null for the number of CPUs, got [Function].',
      ],
      [
        [0],
        RangeError,
        'parallelMap: option "nJobs" must be a positive integer or null for the number of CPUs, got 0.',
      ],
      [[4, true], TypeError, 'parallelMap: option "startMethod" must be '],
      [[4, null], TypeError, 'parallelMap: option "startMethod" must be '],
      [[4, 'spawn', 1], TypeError, 'parallelMap: option "daemon" must be true or false, got 1.'],
      [[[]], TypeError, 'parallelMap: options must be an object such as { argv: … }, got [].'],
      [
        [4, 'spawn', true, false],
        TypeError,
        'parallelMap: only nJobs, startMethod and daemon can be given by position, got false after them. ' +
          'Put all options into one object.',
      ],
      [[{}, 'spawn'], TypeError, "parallelMap: nothing may follow the options object, got 'spawn' (string)."],
      [[{}, null], TypeError, 'parallelMap: nothing may follow the options object, got null.'],
      [
        [4, { ordered: false }],
        TypeError,
        'parallelMap: options are given by position or in an object, not both. Put all of them into one object.',
      ],
    ];
    for (const [args, error, message] of wrong) {
      it(`refuse ${args.map((argument) => inspect(argument)).join(', ')} with a ${error.name}`, () => {
        expect(() => resolve(...args)).to.throw(error, message);
      });
    }
  });
});

/** A copy of what `value` itself has: its own properties, and theirs. */
function ownOf(value: object): object {
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [key, own] of Object.entries(value)) {
    copy[key] = typeof own === 'object' && own !== null && !Array.isArray(own) ? ownOf(own as object) : own;
  }
  return { ...copy };
}

/** Fails to compile when an option has no setting, or a setting no option. */
type SameKeys<A, B> = [keyof A, keyof B] extends [keyof B, keyof A] ? true : never;
export const everyPoolOptionHasASetting: SameKeys<WorkerPoolOptions, PoolSettings> = true;
export const everyCallOptionHasASetting: SameKeys<CallOptions, CallSettings> = true;
