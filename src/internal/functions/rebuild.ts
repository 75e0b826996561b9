/** A portable function rebuilt: what a worker does with a `Define` message. */

import * as vm from 'node:vm';
import { requireThroughTsx } from './tsx.js';
import { ReferenceError } from '../globals.js';
import type { PortableFunction } from './portable.js';

export type Task = (...args: unknown[]) => unknown;

/**
 * The script name of functions that came as source; also how their own reference errors are told from others. It is neither
 * a URL nor an absolute path, so that what they import is resolved from the working directory.
 */
const scriptPrefix = 'rxjs-parallel-map/task/';

/** Loads the function. A promise where a module has to be imported. */
export function rebuild(portable: PortableFunction): Task | Promise<Task> {
  return portable.kind === 'module' ? fromModule(portable) : fromSource(portable);
}

/** The name of the variable that a function which came as source has missed, where that is why it threw `error`. */
export function missingVariable(portable: PortableFunction, error: unknown): string | undefined {
  if (portable.kind !== 'source' || !(error instanceof ReferenceError)) return undefined;
  const missing = /^(\S+) is not defined$/.exec(error.message)?.[1];
  // Only the function's own code: a library that it has imported may have bugs of its own.
  const firstFrame = /^\s+at .*$/m.exec(String(error.stack))?.[0];
  return missing !== undefined && firstFrame?.includes(scriptPrefix) === true ? missing : undefined;
}

async function fromModule({ url, exportName }: PortableFunction & { kind: 'module' }): Promise<Task> {
  const namespace = (await import(url).catch((error: unknown) => {
    const required = requireThroughTsx(url, error);
    if (required === undefined) throw error;
    return required;
  })) as Record<string, unknown>;
  const found = lookUp(namespace, exportName);
  if (typeof found !== 'function') {
    const has = Object.keys(namespace).join(', ');
    throw new TypeError(
      found === undefined
        ? `The module ${url} has no export "${exportName}"; it has: ${has === '' ? 'none' : has}.`
        : `The export "${exportName}" of ${url} is not a function but ${found === null ? 'null' : typeof found}.`,
    );
  }
  return found as Task;
}

/** An export of a module; of a CommonJS one also a property of what it exports, which Node cannot always see ahead. */
function lookUp(namespace: Record<string, unknown>, exportName: string): unknown {
  const direct = namespace[exportName];
  const inner = namespace.default;
  if (exportName === 'default') {
    // Transpiled ES modules: `module.exports = { default: fn }`.
    return typeof inner === 'object' && inner !== null && 'default' in inner ? inner.default : inner;
  }
  if (direct !== undefined || inner === null || inner === undefined) return direct;
  return (inner as Record<string, unknown>)[exportName];
}

/**
 * The ways a function's source can stand: as an expression, or as a method in an object literal. Strict code comes first,
 * so that an assignment to a captured variable is an error and no new global.
 */
const forms: readonly ((source: string) => string)[] = [
  (source) => `'use strict';(${source}\n)`,
  (source) => `'use strict';({${source}\n})`,
  (source) => `(${source}\n)`,
  (source) => `({${source}\n})`,
];

/** A method with a computed name, whose expression would be evaluated anew, and need its variables: up to its bracket. */
const computedName = /^((?:async\s*)?\*?\s*(?:[gs]et\s+)?)\[/;

/** The source with a plain name in the place of a computed one, for each bracket that may be the end of that. */
function* withoutComputedName(source: string): Generator<string> {
  const head = computedName.exec(source);
  if (head === null) return;
  for (const { index } of source.matchAll(/\](?=\s*\()/g)) yield `${head[1]}computed${source.slice(index + 1)}`;
}

function fromSource({ source, name }: PortableFunction & { kind: 'source' }): Task {
  // esbuild and tsx name functions through a helper of the module, which a function that travels alone has lost.
  const helper = /\b__name\b/.test(source) ? 'const __name = (fn) => fn;' : '';
  if (/\bimport\s*\(/.test(source)) silenceLoaderWarning();
  let failure: unknown;
  const ways = [source, ...withoutComputedName(source)].reverse();
  for (const [text, form] of ways.flatMap((way) => forms.map((each) => [way, each] as const))) {
    let compiled: () => unknown;
    try {
      // Unlike a script, this stays in no cache of V8's once the function is forgotten.
      compiled = vm.compileFunction(form(text).replace(/^('use strict';)?/, `$1${helper}return `), [], {
        filename: scriptPrefix + name,
        importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER as never,
      }) as () => unknown;
    } catch (error) {
      failure ??= error;
      continue;
    }
    const rebuilt = asFunction(compiled());
    if (Object.getOwnPropertyDescriptor(rebuilt, 'name')?.configurable === true) {
      Object.defineProperty(rebuilt, 'name', { value: name, configurable: true });
    }
    return rebuilt;
  }
  throw failure;
}

let silenced = false;

/** Node 20 and 22 call the loader option below experimental, once, on the user's screen: it concerns us, not the user. */
function silenceLoaderWarning(): void {
  if (silenced) return;
  silenced = true;
  const { emitWarning } = process;
  process.emitWarning = (...args: unknown[]) => {
    if (String(args[0]).includes('vm.USE_MAIN_CONTEXT_DEFAULT_LOADER')) process.emitWarning = emitWarning;
    else Reflect.apply(emitWarning, process, args);
  };
}

function asFunction(value: unknown): Task {
  if (typeof value === 'function') return value as Task;
  const object = value as object;
  const descriptor = Object.getOwnPropertyDescriptor(object, Reflect.ownKeys(object)[0] ?? '');
  return (descriptor?.value ?? descriptor?.get ?? descriptor?.set) as Task;
}
