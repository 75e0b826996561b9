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

/** Flags without those that preload something, and what these name. */
function splitPreloads(execArgv: readonly string[]): { readonly flags: string[]; readonly preloads: Preloads } {
  const preloads = { require: [] as string[], loader: [] as string[], import: [] as string[] };
  const flags: string[] = [];
  for (let i = 0; i < execArgv.length; i++) {
    const argument = execArgv[i] as string;
    const flag = flagOf(argument);
    const kind = preloading[flag];
    if (kind === undefined) flags.push(argument);
    else preloads[kind].push(argument === flag ? (execArgv[++i] ?? '') : argument.slice(flag.length + 1));
  }
  return { flags, preloads };
}

/** Profilers that have a thread, which never rests and which a copy would lack. */
const profiling = /^(--prof|--cpu-prof.*)$/;
const profilingTakesValue = new Set(['--cpu-prof-dir', '--cpu-prof-name', '--cpu-prof-interval']);

/**
 * What a process that is copied is started with: its flags and environment preload nothing, so that each copy can do it, and profile
 * nothing.
 */
export function withoutPreloads(
  execArgv: readonly string[],
  nodeOptions: string | undefined,
): { readonly flags: string[]; readonly nodeOptions: string; readonly preloads: Preloads } {
  // Node takes those of the environment first.
  const ofEnvironment = splitPreloads(withoutProfilers(processExecArgv(parseNodeOptions(nodeOptions ?? ''))));
  const given = splitPreloads(withoutProfilers(execArgv));
  return {
    flags: given.flags,
    nodeOptions: ofEnvironment.flags.map((flag) => `"${flag.replace(/["\\]/g, '\\$&')}"`).join(' '),
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
    (flag) => !profiling.test(flag),
    (flag) => profilingTakesValue.has(flag),
  );
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
    const parts = argument === flag && hasValue(flag) ? [argument, ...execArgv.slice(++i, i + 1)] : [argument];
    if (keep(flag)) kept.push(...parts);
  }
  return kept;
}

function flagOf(argument: string): string {
  return argument.startsWith('-') ? argument.replace(/=.*$/s, '') : argument;
}
