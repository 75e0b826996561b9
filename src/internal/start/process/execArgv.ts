/**
 * The Node flags that a worker inherits from its program, so that loaders such as tsx, preloaded modules and conditions
 * work in it too; less those that say what the program itself is.
 */

import type { ResourceLimits } from '../../../options.js';
import type { Preloads } from '../forkserver/serverMessages.js';

/** Flags, and whether a separate value follows them, that a worker must not have. */
const ownToProgram =
  /^(-e|--eval|-p|--print|-pe|-i|--interactive|-c|--check|--input-type|--run|--test.*|--watch.*|--inspect.*|--debug-port|--build-snapshot.*)$/;
const takesValue = new Set(['-e', '--eval', '-p', '--print', '-pe', '--input-type', '--run', '--watch-path']);

/** Flags that a thread may be given; others hold for the whole process anyway, and Node refuses them. */
const forThreads =
  /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--enable-source-maps|--no-warnings|--disable-warning|--experimental-strip-types|--experimental-transform-types)$/;
const threadTakesValue = /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--disable-warning)$/;

/** The flags for a process. */
export function processExecArgv(execArgv: readonly string[]): string[] {
  return filter(
    execArgv,
    (flag) => !ownToProgram.test(flag),
    (flag) => takesValue.has(flag),
  );
}

/** The flags for a process that stand for the limits of its heap. V8 takes the last of several. */
export function limitFlags(limits: ResourceLimits | undefined): string[] {
  const flags: string[] = [];
  const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young } = limits ?? {};
  if (old !== undefined) flags.push(`--max-old-space-size=${Math.ceil(old)}`);
  // The young generation has three such spaces.
  if (young !== undefined) flags.push(`--max-semi-space-size=${Math.ceil(young / 3)}`);
  return flags;
}

/** The flags for a thread; `undefined` lets Node hand them on, which it does best where none stands in the way. */
export function threadExecArgv(execArgv: readonly string[]): string[] | undefined {
  // The command of ts-node gives itself as a flag, which Node hands on to processes only.
  const tsNode = execArgv.map((argument) => /^(.*[\\/]ts-node)[\\/]dist[\\/]bin/.exec(argument)?.[1]).find(Boolean);
  if (tsNode !== undefined) return ['--require', `${tsNode}/register/transpile-only`];
  if (!execArgv.some((argument) => ownToProgram.test(flagOf(argument)) && !flagOf(argument).startsWith('--inspect'))) {
    return undefined;
  }
  return filter(
    execArgv,
    (flag) => forThreads.test(flag),
    (flag) => takesValue.has(flag) || threadTakesValue.test(flag),
  );
}

/** Flags that have a process load something before anything else, in their forms. */
const preloading: Readonly<Record<string, keyof Preloads>> = {
  '-r': 'require',
  '--require': 'require',
  '--loader': 'loader',
  '--experimental-loader': 'loader',
  '--import': 'import',
};

/** Whether flags have a process load something before anything else. */
export function preloadsAnything(flags: readonly string[]): boolean {
  return flags.some((argument) => flagOf(argument) in preloading);
}

/** What Yarn's Plug'n'Play preloads, without which nothing in its archives can be read. It starts no thread. */
const plugAndPlay = /(^|[\\/])\.pnp\.c?js$/;

/** Flags without those that preload something, and what these name. */
function splitPreloads(execArgv: readonly string[]): { readonly flags: string[]; readonly preloads: Preloads } {
  const preloads = { require: [] as string[], loader: [] as string[], import: [] as string[] };
  const flags: string[] = [];
  for (let i = 0; i < execArgv.length; i++) {
    const argument = execArgv[i] as string;
    const flag = flagOf(argument);
    const kind = preloading[flag];
    if (kind === undefined) {
      flags.push(argument);
      continue;
    }
    const value = argument.includes('=') ? argument.slice(flag.length + 1) : (execArgv[++i] ?? '');
    if (plugAndPlay.test(value)) flags.push(flag, value);
    else preloads[kind].push(value);
  }
  return { flags, preloads };
}

/** With it V8 aborts a process of which native code throws an error that JavaScript catches, as looking for a missing symbol does. */
const ABORTS = '--abort-on-uncaught-exception';

/** Profilers that have a thread, which never rests and which a copy would lack. */
const profiling = /^(--prof|--cpu-prof.*)$/;
const profilingTakesValue = new Set(['--cpu-prof-dir', '--cpu-prof-name', '--cpu-prof-interval']);

/**
 * What a process that is copied is started with: its flags and environment preload nothing, so that each copy can do it, profile
 * nothing, and do not abort.
 */
export function flagsOfOriginal(
  execArgv: readonly string[],
  nodeOptions: string | undefined,
): { readonly flags: string[]; readonly nodeOptions: string; readonly preloads: Preloads; readonly aborts: boolean } {
  // Node takes those of the environment first.
  const inEnvironment = processExecArgv(parseNodeOptions(nodeOptions ?? ''));
  const ofEnvironment = splitPreloads(withoutProfilers(inEnvironment));
  const given = splitPreloads(withoutProfilers(execArgv));
  return {
    flags: given.flags,
    nodeOptions: formatNodeOptions(ofEnvironment.flags),
    aborts: [...inEnvironment, ...execArgv].some((argument) => flagOf(argument) === ABORTS),
    preloads: {
      require: [...ofEnvironment.preloads.require, ...given.preloads.require],
      loader: [...ofEnvironment.preloads.loader, ...given.preloads.loader],
      import: [...ofEnvironment.preloads.import, ...given.preloads.import],
    },
  };
}

function withoutProfilers(execArgv: readonly string[]): string[] {
  return filter(
    execArgv,
    (flag) => !profiling.test(flag) && flag !== ABORTS,
    (flag) => profilingTakesValue.has(flag),
  );
}

/** The `NODE_OPTIONS` of a program without those that say what the program itself is. */
export function inheritedNodeOptions(nodeOptions: string): string {
  const given = parseNodeOptions(nodeOptions);
  const inherited = processExecArgv(given);
  return inherited.length === given.length ? nodeOptions : formatNodeOptions(inherited);
}

function formatNodeOptions(flags: readonly string[]): string {
  return flags.map((flag) => `"${flag.replace(/["\\]/g, '\\$&')}"`).join(' ');
}

/** The arguments in `NODE_OPTIONS`: between spaces, or in double quotes, in which a backslash takes the next character as it is. */
function parseNodeOptions(text: string): string[] {
  const parts = text.match(/(?:"(?:\\.|[^"\\])*"|[^ "])+/gs) ?? [];
  return parts.map((part) =>
    part.replace(/"((?:\\.|[^"\\])*)"/gs, (_, quoted: string) => quoted.replace(/\\(.)/gs, '$1')),
  );
}

function filter(
  execArgv: readonly string[],
  keep: (flag: string) => boolean,
  hasValue: (flag: string) => boolean,
): string[] {
  const kept: string[] = [];
  for (let i = 0; i < execArgv.length; i++) {
    const argument = execArgv[i] as string;
    const flag = flagOf(argument);
    const parts = !argument.includes('=') && hasValue(flag) ? [argument, ...execArgv.slice(++i, i + 1)] : [argument];
    if (keep(flag)) kept.push(...parts);
  }
  return kept;
}

/** Of a flag with a value, the flag; Node takes `_` for `-` in it. */
function flagOf(argument: string): string {
  const flag = argument.startsWith('-') ? argument.replace(/=.*$/s, '') : argument;
  return flag.startsWith('--') ? `--${flag.slice(2).replaceAll('_', '-')}` : flag;
}
