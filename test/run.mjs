// What `npm test` runs: every check of the project, one after the other, each with its output, and at the end one line
// with the sum: `N passed, N failed`. A mocha run counts its tests, any other step counts as one.
//
//   npm test                            everything
//   npm test -- --only unit,esm         build, then these mocha runs (unit, esm, cjs)
//   ALL_START_METHODS=1 npm test        every suite with every start method: see test/support/startMethods.ts
//   npm test -- --grep 'daemon'         build, then the tests of all mocha runs whose title matches
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const MINUTE = 60_000;
const STEP_LIMIT = 10 * MINUTE;
const MOCHA_LIMIT = 30 * MINUTE;
/** How long a mocha that has reported its end may take to exit. Longer: a test has left a worker, timer or socket. */
const EXIT_LIMIT = MINUTE / 2;

/** How many mochas run side by side. A test and its workers keep about one core busy. */
const LANES = 2;

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
 * - What takes long, and is about what the shared files do over time – memory, ends, timeouts, scripts at random – and not
 *   about what the bundle gives or how code reaches a worker, is left out (`LONG`), but not with ALL_START_METHODS=1.
 */
const CJS = { FORMAT: 'cjs', MODEL_RUNS: '10', NESTED_RUNS: '4', MEMORY_SCALE: '0.2', CLOSURE_RUNS: '100' };
const STARTS = ['smoke', 'package', 'forkserver'];
const LONG = process.env.ALL_START_METHODS
  ? []
  : ['model', 'memory', 'orphans', 'life/timeouts', 'failure/taskTimeout'];
const FUNCTIONS = ['functions/modules', 'functions/transpiled', 'functions/capturedImports'];

/** The test files of such names below build/test. */
const filesOf = (...names) => names.map((name) => `build/test/${name}.test.js`);
const exceptFor = (...names) => filesOf(...names).flatMap((file) => ['--ignore', file]);

/** The runs by name, each made of parts: a mocha of its own for some files. */
const MOCHA_RUNS = {
  esm: {
    top: { spec: filesOf('*'), env: { FORMAT: 'esm' } },
    functions: { spec: filesOf('functions/**/*'), env: { FORMAT: 'esm' } },
    topics: { spec: [...filesOf('*/**/*'), ...exceptFor('unit/**/*', 'functions/**/*')], env: { FORMAT: 'esm' } },
  },
  cjs: {
    starts: { spec: filesOf(...STARTS), env: CJS },
    functions: { spec: filesOf(...FUNCTIONS), env: { ...CJS, START_METHODS: 'threading,spawn' } },
    others: {
      spec: [...filesOf('**/*'), ...exceptFor('unit/**/*', ...STARTS, ...FUNCTIONS, ...LONG)],
      env: { ...CJS, START_METHODS: 'threading' },
    },
  },
  unit: { all: { spec: filesOf('unit/**/*'), env: {} } },
};

const { values: options } = parseArgs({ options: { only: { type: 'string' }, grep: { type: 'string', short: 'g' } } });
const mochaRuns = options.only?.split(',') ?? Object.keys(MOCHA_RUNS);
for (const name of mochaRuns) {
  if (!(name in MOCHA_RUNS)) throw new RangeError(`--only ${name}: expected ${Object.keys(MOCHA_RUNS).join(', ')}`);
}
const everything = options.only === undefined && options.grep === undefined;

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const total = { passed: 0, failed: 0 };
const failures = [];

const count = (name, passed, failed) => {
  total.passed += passed;
  total.failed += failed;
  if (failed > 0) failures.push(failed === 1 ? name : `${name} (${failed})`);
};

/**
 * Runs a command of node_modules/.bin in a process group of its own, with our output or into a file. Kills the whole group, workers of
 * tests included, when `limit` has passed or `stuck` returns a text, asked every second. Resolves to undefined if the
 * command succeeded, else to a text that says how it failed.
 */
const run = (command, args, { env = {}, limit = STEP_LIMIT, stuck, output = 'inherit' } = {}) =>
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

/** A step that counts as one: a command line and its environment. Resolves to whether it succeeded. */
const step = async (name, commandLine, env = {}) => {
  console.log(`\n▶ ${name}: ${commandLine}`);
  const [command, ...args] = commandLine.split(' ');
  return told(name, await run(command, args, { env }));
};

/** Begins a step whose output waits in a file until its turn, which is when what this returns is called. */
const ahead = (name, commandLine) => {
  const [command, ...args] = commandLine.split(' ');
  mkdirSync('build', { recursive: true });
  const output = `build/output-${name}.txt`;
  const ended = run(command, args, { output: openSync(output, 'w') });
  return async () => {
    const failure = await ended;
    console.log(`\n▶ ${name}: ${commandLine}`);
    process.stdout.write(readFileSync(output, 'utf8'));
    told(name, failure);
  };
};

/** Counts a step that has ended, and tells how it failed, if it did. Returns whether it succeeded. */
const told = (name, failure) => {
  if (failure !== undefined) console.log(`✖ ${name} ${failure}`);
  count(name, failure === undefined ? 1 : 0, failure === undefined ? 0 : 1);
  return failure === undefined;
};

/** What all mochas have in common. */
const mochaArgs = ['--reporter', './test/support/countsReporter.mjs'];
if (options.grep !== undefined) mochaArgs.push('--grep', options.grep);
if (everything) mochaArgs.push('--forbid-only');

/** Resolves to what is to be told of a mocha, which prints into the file `output`, if there is one. */
const mocha = async ({ name, spec, env, output }) => {
  const counts = `build/counts-${name}.json`;
  const args = [...mochaArgs, '--reporter-option', `counts=${counts}`, ...spec];
  if (output === undefined) console.log(`\n▶ tests (${name}): mocha ${args.join(' ')}`);
  rmSync(counts, { force: true });
  let ended;
  const failure = await run('mocha', args, {
    env,
    limit: MOCHA_LIMIT,
    output: output === undefined ? 'inherit' : openSync(output, 'w'),
    stuck() {
      if (ended === undefined && existsSync(counts)) ended = Date.now();
      if (ended === undefined || Date.now() - ended <= EXIT_LIMIT) return undefined;
      return `killed: still running ${EXIT_LIMIT / 1000} s after its last test, which has left a handle open`;
    },
  });
  if (!existsSync(counts)) return { name, passed: 0, failed: 0, failure: failure ?? 'ended before its last test' };
  return { name, ...JSON.parse(readFileSync(counts, 'utf8')), failure };
};

const tell = ({ name, passed, failed, failure }) => {
  if (failure !== undefined) console.log(`✖ tests (${name}) ${failure}`);
  // mocha ends with the number of failed tests. Any other end is one more failure.
  const expected = failed === 0 ? undefined : `ended with ${Math.min(failed, 255)}`;
  count(`tests (${name})`, passed, failed + (failure === expected ? 0 : 1));
};

if (everything) {
  // Side by side, but before the build: lint reads types in dist.
  const checks = [
    ahead('format', 'prettier --check .'),
    ahead('lint', 'oxlint'),
    ahead('typecheck', 'tsc --noEmit -p tsconfig.json'),
  ];
  for (const tellCheck of checks) await tellCheck();
}

const built = (await step('build (src)', 'tsc -b')) && (await step('build (dist)', 'rollup -c'));
if (built) {
  // Removed first: a test that is gone from test/ must not run from there.
  rmSync('build/test', { recursive: true, force: true });
  await step('build (tests)', 'tsc -b test');
  mkdirSync('build', { recursive: true });
  // Also with type errors in the tests: tsc has emitted them nevertheless. What the first mocha prints is seen at once; what
  // the others print follows in turn.
  const mochas = mochaRuns.flatMap((run) =>
    Object.entries(MOCHA_RUNS[run]).map(([part, { spec, env }]) => ({ name: `${run}-${part}`, spec, env })),
  );
  const [first, ...others] = mochas;
  for (const each of others) each.output = `build/output-${each.name}.txt`;
  for (const each of mochas) each.ended = new Promise((resolve) => (each.end = resolve));
  const lane = async () => {
    for (let each = mochas.shift(); each !== undefined; each = mochas.shift()) each.end(await mocha(each));
  };
  for (let i = 0; i < LANES; i++) void lane();
  tell(await first.ended);
  for (const { name, output, ended } of others) {
    const result = await ended;
    console.log(`\n▶ tests (${name})`);
    process.stdout.write(readFileSync(output, 'utf8'));
    tell(result);
  }
  if (everything) {
    await step('publint', 'publint --strict');
    // Packs what is built, instead of building once more.
    await step('attw', 'attw --pack . --profile node16', { npm_config_ignore_scripts: 'true' });
  }
} else {
  console.log('\nSkipped, because there is nothing to test without a build: the tests and the checks of the package.');
}

if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
