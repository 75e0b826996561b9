/** A function made portable: what is sent to a worker so that it can be rebuilt there. */

import { describeValue } from '../options/describeValue.js';
import { UnportableFunctionError } from '../../errors.js';
import { isModuleTask, moduleTask, type ModuleTask } from '../../moduleTask.js';

/** A function in a form that can be sent. */
export type PortableFunction =
  | { readonly kind: 'module'; readonly url: string; readonly exportName: string; readonly name: string }
  | { readonly kind: 'source'; readonly source: string; readonly name: string };

/** Whatever a user may give where a task function is asked for. */
export type AnyTask = ((...args: never[]) => unknown) | ModuleTask | URL;

/**
 * Checks what was given as a task, and makes it portable.
 *
 * @param fn A function, a module task or a `URL` (of a module whose default export is the function).
 * @param caller Whose argument it is, for messages.
 * @throws TypeError where `fn` is nothing of these, or a class.
 * @throws UnportableFunctionError where `fn` has no source: a native or bound function.
 */
export function makePortable(fn: unknown, caller: string): PortableFunction {
  if (fn instanceof URL) return makePortable(moduleTask(fn), caller);
  if (isModuleTask(fn)) return { kind: 'module', url: fn.url, exportName: fn.exportName, name: fn.exportName };
  if (typeof fn !== 'function') {
    throw new TypeError(
      `${caller}: "fn" must be a function, a moduleTask(url, exportName) or a URL, got ${describeValue(fn)}.`,
    );
  }
  const source = Function.prototype.toString.call(fn);
  const name = fn.name === '' ? 'anonymous' : fn.name;
  if (/^class\b/.test(source)) {
    throw new TypeError(
      `${caller}: "fn" must be a function, got the class ${name}: wrap it, (value) => new ${name}(value).`,
    );
  }
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source)) {
    throw new UnportableFunctionError({ functionName: name, reason: 'it is a native or bound function, or a proxy' });
  }
  return { kind: 'source', source, name };
}

/** What makes two tasks the same: they are loaded once per worker, and share what is known of their pace. */
export function taskKey(fn: unknown): unknown {
  if (fn instanceof URL) return `${fn.href}#default`;
  return isModuleTask(fn) ? `${fn.url}#${fn.exportName}` : fn;
}
