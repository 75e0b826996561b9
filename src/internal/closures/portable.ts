/** A function made portable: what is sent to a worker so that it can be rebuilt there. */

import { describeValue } from '../options/describeValue.js';
import { isModuleTask, moduleTask, type ModuleTask } from '../../moduleTask.js';
import { UnserializableError } from '../../errors.js';
import { capture, captureValue, type CaptureOptions } from './capture/capture.js';

/** A function in a form that can be sent. */
export type PortableFunction = PortableModule | PortableGraph | LocalFunction;

/** A function that is imported with its module. */
export interface PortableModule {
  readonly kind: 'module';
  readonly name: string;
  readonly url: string;
  readonly exportName: string;
  readonly imports: true;
}

/** The function itself: where the worker is this thread. */
export interface LocalFunction {
  readonly kind: 'local';
  readonly name: string;
  readonly fn: (...args: never[]) => unknown;
  readonly imports: false;
}

/** A function that is rebuilt, with what it captures. */
export interface PortableGraph {
  readonly kind: 'graph';
  readonly name: string;
  /** The graph. */
  readonly bytes: Uint8Array;
  /** What travels beside the graph: what is shared, or what only structured clone can carry. */
  readonly attachments: readonly unknown[];
  /** Whether modules are imported for it, of which each may do anything. */
  readonly imports: boolean;
}

/** A value in a form that can be sent, functions in it included; or itself, where the worker is this thread. */
export type PortableValue =
  Pick<PortableGraph, 'bytes' | 'attachments' | 'imports'> | { readonly local: unknown; readonly imports: false };

/** Whatever a user may give where a task function is asked for. */
export type AnyTask = ((...args: never[]) => unknown) | ModuleTask | URL;

/**
 * Checks what was given as a task.
 *
 * @param fn A function, a module task or a `URL` (of a module whose default export is the function).
 * @param caller Whose argument it is, for messages.
 * @throws TypeError where `fn` is nothing of these, or a class.
 */
export function checkTask(fn: unknown, caller: string): asserts fn is AnyTask {
  if (fn instanceof URL || isModuleTask(fn)) return;
  if (typeof fn !== 'function') {
    throw new TypeError(
      `${caller}: "fn" must be a function, a moduleTask(url, exportName) or a URL, got ${describeValue(fn)}.`,
    );
  }
  if (/^class\b/.test(Function.prototype.toString.call(fn))) {
    const { name } = fn;
    throw new TypeError(
      `${caller}: "fn" must be a function, got the class ${name}: wrap it, (value) => new ${name}(value).`,
    );
  }
}

/**
 * Makes a task portable, with the values that its variables have now.
 *
 * @throws UnportableFunctionError where it is, or captures, what cannot travel.
 */
export function makePortable(fn: AnyTask, options: CaptureOptions): PortableFunction {
  if (fn instanceof URL) return makePortable(moduleTask(fn), options);
  if (options.isLocal === true && !isModuleTask(fn)) return { kind: 'local', name: nameOf(fn), fn, imports: false };
  if (isModuleTask(fn))
    return { kind: 'module', name: fn.exportName, url: fn.url, exportName: fn.exportName, imports: true };
  return { kind: 'graph', name: nameOf(fn), ...capture(fn, options) };
}

function nameOf({ name }: { readonly name: string }): string {
  return name === '' ? 'anonymous' : name;
}

/** Makes an option's value portable. @throws UnserializableError, or UnportableFunctionError because of a function in it. */
export function makeValuePortable(
  name: string,
  value: unknown,
  isCloneable: (value: unknown) => boolean,
): PortableValue {
  const refusal = (path: string, kind: string): Error => new UnserializableError({ path, kind, direction: 'input' });
  return captureValue(name, value, { captures: undefined, isCloneable, refusal });
}

/** What makes two tasks the same, as long as what they capture is: they are loaded once, and share what is known of their pace. */
export function taskKey(fn: unknown): unknown {
  if (fn instanceof URL) return `${fn.href}#default`;
  return isModuleTask(fn) ? `${fn.url}#${fn.exportName}` : fn;
}

/** Whether two forms of one function stand for the same, values included. */
export function isSamePortable(a: PortableFunction, b: PortableFunction): boolean {
  if (a === b) return true;
  if (a.kind === 'module' || b.kind === 'module') return a.kind === b.kind;
  if (a.kind === 'local' || b.kind === 'local') return a.kind === b.kind; // of one key
  return (a.bytes === b.bytes || Buffer.compare(a.bytes, b.bytes) === 0) && isSameList(a.attachments, b.attachments);
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}
