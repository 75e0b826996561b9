/**
 * Compiles text, in a worker.
 *
 * Each function is compiled alone: one script for all would have one file and wrong lines. Captured variables are parameters of a function
 * around it, which are as fast as the variables they stand for. `with` or `contextExtensions` would make each access a slow lookup.
 */

import * as vm from 'node:vm';
import { onCompiled } from './compiledSources.js';

export interface CompileOptions {
  /** The file that the code is in, for stacks and for what it imports. */
  readonly filename: string;
  /** Where the text begins there, counted from 0. */
  readonly line?: number;
  readonly column?: number;
}

/**
 * A function of `parameters` with `body`.
 *
 * Unlike a script, it stays in no cache of V8's once it is forgotten; for newer ones see `compiledSources.ts`. What it imports is
 * resolved as from `filename` where that is a URL or an absolute path, else from the working directory.
 *
 * @throws SyntaxError
 */
export function compile(
  body: string,
  parameters: readonly string[],
  { filename, line = 0, column = 0 }: CompileOptions,
): (...args: unknown[]) => unknown {
  if (/\bimport\b/.test(body)) silenceLoaderWarning();
  onCompiled(body.length);
  return vm.compileFunction(body, parameters, {
    filename,
    lineOffset: line,
    columnOffset: column,
    importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER as never,
  }) as (...args: unknown[]) => unknown;
}

let silenced = false;

/** Node 20 and 22 call the loader option above experimental, once, on the user's screen: it concerns us, not the user. */
function silenceLoaderWarning(): void {
  if (silenced) return;
  silenced = true;
  const { emitWarning } = process;
  process.emitWarning = (...args: unknown[]) => {
    if (String(args[0]).includes('vm.USE_MAIN_CONTEXT_DEFAULT_LOADER')) process.emitWarning = emitWarning;
    else Reflect.apply(emitWarning, process, args);
  };
}
