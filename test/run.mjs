// What `npm test` runs: a build, then all tests and checks of the project, some at a time. Each gets one line when it ends. The output of
// those that failed follows at the end, so that a log that was cut shows it, and then a line with the sum: `N passed, N failed`.
// A mocha run counts its tests, any other step counts as one. All outputs are in build/output-*.txt.
//
//   npm test                            everything
//   npm test -- --only unit,esm         build, then these mocha runs (unit, esm, cjs)
//   ALL_START_METHODS=1 npm test        every suite with every start method: see test/support/startMethods.ts
//   npm test -- --grep 'daemon'         build, then the tests of all mocha runs whose title matches
//   npm test -- --stop                  stops random processes of the run for up to a second, to find tests that need an idle machine
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stopProcesses } from './support/stopProcesses.mjs';

const MINUTE = 60_000;
const STEP_LIMIT = 10 * MINUTE;
const MOCHA_LIMIT = 30 * MINUTE;
/** How long a mocha that has reported its end may take to exit. Longer: a test has left a worker, timer or socket. */
const EXIT_LIMIT = MINUTE / 2;

/**
 * How many mochas and checks run side by side. A test and its workers keep less than one core busy: much of its time it waits,
 * for a limit to pass, for a worker to go, or to see that something does not happen.
 */
const LANES = Math.min(availableParallelism() + 1, 6);

/**
 * CommonJS is the same code once more: the entries of workers are the same files, and of what runs in the program only the
 * bundle is another one, by the same rollup from the same sources. So:
 *
 * - Tests run in CommonJS too, but only with the first start method: what a start method does differently is in files
 *   that both formats share, and the ES modules' run shows it.
 * - That each start method finds its files from this bundle is shown with all of them (`starts`).
 * - Where the format of the program decides over what reaches a worker – modules that are imported there again, code that a
 *   compiler has written or a loader compiles – threads and processes differ, so these tests have both (`functions`).
 * - What repeats one thing at random, or at length, does so less often.
 * - What takes long, and is about what the pool and the shared files do over time – memory, ends, timeouts, lives, figures, bars,
 *   scripts at random – or which flags of Node they take over, and not about what the bundle gives or how code reaches a
 *   worker, is left out (`LONG`), but not with ALL_START_METHODS=1.
 * - Programs that are ES modules in either run are left out (`MODULES`).
 */
const CJS = { FORMAT: 'cjs', MODEL_RUNS: '10', NESTED_RUNS: '4', MEMORY_SCALE: '0.2', CLOSURE_RUNS: '100' };
const STARTS = ['smoke', 'package', 'forkserver'];
const LONG = process.env.ALL_START_METHODS
  ? []
  : [
      'model',
      'memory',
      'orphans',
      'execArgv',
      'nesting',
      'ordering',
      'progress',
      'failure/settle',
      'failure/taskTimeout',
      'life/insights',
      'life/lifespan',
      'life/tasksPerWorker',
      'life/timeouts',
      'pool/chunks',
      'pool/lifecycle',
      'pool/workers',
    ];
const MODULES = ['testRunners', 'demo', 'examples', 'program'];
const FUNCTIONS = ['functions/modules', 'functions/transpiled', 'functions/capturedImports'];

/**
 * What makes a part of its own, a mocha for these files, because it takes long: the longest first, so that the lanes end at about the
 * same time. What is not named here runs with the others of its folder.
 */
const PARTS = [
  ['execArgv', 'orphans'],
  ['program', 'cancellation'],
  ['docs', 'examples', 'demo'],
  ['model', 'ordering'],
  ['nesting'],
  ['testRunners'],
  ['failure/taskTimeout'],
  ['memory', 'progress'],
  ['life/initExit', 'life/timeouts'],
  ['functions/stacks', 'functions/transpiled', 'functions/capturedValues'],
];

/** What is cheap, and fills the gaps at the end. They count as one each. */
const CHECKS = {
  format: 'prettier --check .',
  // Packs what is built, instead of building once more.
  attw: 'attw --pack . --profile node16',
  lint: 'oxlint',
  publint: 'publint --strict',
  typecheck: 'tsc --noEmit -p tsconfig.json',
};

/** The names of all test files: their paths below build/test, without extension. */
const testNames = () =>
  readdirSync('build/test', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => file.replace(/\.test\.js$/, ''))
    .sort();

const unitsOf = (names) => names.filter((name) => name.startsWith('unit/'));
const without = (names, ...others) => names.filter((name) => !others.flat().includes(name));

/** Divides tests into mochas: those that take long, then the rest folder by folder. */
const divide = (run, names, env) => {
  const left = new Set(names);
  const take = (of) => of.filter((name) => left.delete(name));
  const parts = PARTS.map(take).filter((part) => part.length > 0);
  const isIn = (folder) => (name) => dirname(name) === folder;
  for (const folder of new Set([...left].map(dirname))) parts.push(take([...left].filter(isIn(folder))));
  return parts.map((part) => ({
    name: `${run}-${part[0].replaceAll('/', '-')}`,
    spec: part.map((name) => `build/test/${name}.test.js`),
    env,
  }));
};

/** The runs by name: the parts that each is made of. */
const MOCHA_RUNS = {
  esm: (names) => divide('esm', without(names, unitsOf(names)), { FORMAT: 'esm' }),
  cjs: (names) => [
    ...divide('cjs', without(names, unitsOf(names), STARTS, FUNCTIONS, LONG, MODULES), {
      ...CJS,
      START_METHODS: 'threading',
    }),
    ...divide('cjs-functions', FUNCTIONS, { ...CJS, START_METHODS: 'threading,spawn' }),
    ...divide('cjs-starts', STARTS, CJS),
  ],
  unit: (names) => divide('unit', unitsOf(names), {}),
};

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    grep: { type: 'string', short: 'g' },
    stop: { type: 'boolean', default: false },
  },
});
const mochaRuns = options.only?.split(',') ?? Object.keys(MOCHA_RUNS);
for (const name of mochaRuns) {
  if (!(name in MOCHA_RUNS)) throw new RangeError(`--only ${name}: expected ${Object.keys(MOCHA_RUNS).join(', ')}`);
}
const everything = options.only === undefined && options.grep === undefined && !options.stop;

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const total = { passed: 0, failed: 0 };
/** What failed: its name, how it ended if that says something, and the file with its output. */
const failures = [];
const started = Date.now();

const count = (name, { passed, failed, how, output, since }) => {
  total.passed += passed;
  total.failed += failed;
  const seconds = `${Math.round((Date.now() - since) / 1000)} s`.padStart(6);
  console.log(`${seconds}  ${failed === 0 ? '✔' : '✖'} ${name}: ${passed} passed, ${failed} failed`);
  if (failed > 0) failures.push({ name: failed === 1 ? name : `${name} (${failed})`, how, output });
};

/**
 * Runs a command of node_modules/.bin in a process group of its own, its output into a file. Kills the whole group, workers of
 * tests included, when `limit` has passed or `stuck` returns a text, asked every second. Resolves to undefined if the
 * command succeeded, else to a text that says how it failed.
 */
const run = (command, args, { env = {}, limit = STEP_LIMIT, stuck, output }) =>
  new Promise((resolve) => {
    const child = spawn(`node_modules/.bin/${command}`, args, {
      stdio: ['ignore', output, output],
      env: { ...process.env, ...env },
      detached: true,
    });
    let killed;
    const kill = (signal) => {
      try {
        process.kill(-Number(child.pid), signal);
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    };
    const started = Date.now();
    const watch = setInterval(() => {
      killed = Date.now() - started > limit ? `killed: not done after ${limit / MINUTE} minutes` : stuck?.();
      if (killed === undefined) return;
      clearInterval(watch);
      kill('SIGKILL');
    }, 1000);
    // The group does not get the terminal's signals: hand them on, and end by them.
    const interrupted = (signal) => {
      kill('SIGKILL');
      process.off(signal, interrupted);
      process.kill(process.pid, signal);
    };
    process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
    const done = (failure) => {
      clearInterval(watch);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      resolve(failure);
    };
    child.once('error', (error) => done(error.message));
    child.once('exit', (code, signal) => done(killed ?? (code === 0 ? undefined : `ended with ${signal ?? code}`)));
  });

/** Runs a command line that counts as one. Resolves to whether it succeeded. */
const check = async (name, commandLine) => {
  const [command, ...args] = commandLine.split(' ');
  const output = `build/output-${name.replaceAll(/\W+/g, '-')}.txt`;
  const since = Date.now();
  mkdirSync('build', { recursive: true });
  const how = await run(command, args, {
    output: openSync(output, 'w'),
    env: { npm_config_ignore_scripts: 'true' },
  });
  const failed = how === undefined ? 0 : 1;
  count(name, { passed: 1 - failed, failed, how, output, since });
  return failed === 0;
};

/** Of a mocha's output, what follows its list of tests, if it got so far. Of any other, or of one that was killed, the end. */
const failedPart = (output) => {
  const summary = output.search(/\d+ passing \(/);
  return summary >= 0 ? output.slice(summary) : output.slice(-20_000);
};

/** What all mochas have in common. */
const mochaArgs = ['--reporter', './test/support/countsReporter.mjs'];
if (options.grep !== undefined) mochaArgs.push('--grep', options.grep);
if (everything) mochaArgs.push('--forbid-only');

const mocha = async ({ name, spec, env }) => {
  const counts = `build/counts-${name}.json`;
  const output = `build/output-${name}.txt`;
  rmSync(counts, { force: true });
  const since = Date.now();
  let ended;
  const failure = await run('mocha', [...mochaArgs, '--reporter-option', `counts=${counts}`, ...spec], {
    env,
    limit: MOCHA_LIMIT,
    output: openSync(output, 'w'),
    stuck() {
      if (ended === undefined && existsSync(counts)) ended = Date.now();
      if (ended === undefined || Date.now() - ended <= EXIT_LIMIT) return undefined;
      return `killed: still running ${EXIT_LIMIT / 1000} s after its last test, which has left a handle open`;
    },
  });
  const { passed, failed } = existsSync(counts) ? JSON.parse(readFileSync(counts, 'utf8')) : { passed: 0, failed: 0 };
  // mocha ends with the number of failed tests. Any other end is one more failure.
  const expected = failed === 0 ? undefined : `ended with ${Math.min(failed, 255)}`;
  const how = existsSync(counts)
    ? failure === expected
      ? undefined
      : failure
    : (failure ?? 'ended before its last test');
  count(name, { passed, failed: failed + (how === undefined ? 0 : 1), how, output, since });
};

const built = (await check('build (src)', 'tsc -b')) && (await check('build (dist)', 'rollup -c'));
if (built) {
  // Removed first: a test that is gone from test/ must not run from there.
  rmSync('build/test', { recursive: true, force: true });
  // Also with type errors in the tests: tsc has emitted them nevertheless.
  await check('build (tests)', 'tsc -b test');
  const names = testNames();
  const work = mochaRuns.flatMap((run) => MOCHA_RUNS[run](names)).map((part) => () => mocha(part));
  // After the build: lint reads types in dist.
  if (everything)
    work.push(
      ...Object.entries(CHECKS).map(
        ([name, commandLine]) =>
          () =>
            check(name, commandLine),
      ),
    );
  const endStops = options.stop ? stopProcesses(process.pid, 'build/stops.txt') : undefined;
  const lane = async () => {
    for (let next = work.shift(); next !== undefined; next = work.shift()) await next();
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  if (endStops !== undefined) console.log(`Processes were stopped ${endStops()} times: see build/stops.txt.`);
} else {
  console.log('\nSkipped, because there is nothing to test without a build: the tests and the checks.');
}

for (const { name, how, output } of failures) {
  console.log(`\n✖ ${name}${how === undefined ? '' : `: ${how}`}\n${failedPart(readFileSync(output, 'utf8'))}`);
}
if (failures.length > 0) console.log(`\nFailed: ${failures.map(({ name }) => name).join(', ')}`);
console.log(`${Math.round((Date.now() - started) / 1000)} s`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
