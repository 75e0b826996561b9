/** A function made portable: what is sent to a worker so that it can be rebuilt there. */

import { isModuleTask, moduleTask, type ModuleTask } from '../../moduleTask.js';
import { UnserializableError } from '../../errors.js';
import { capture, captureValue, type CaptureOptions } from './capture/capture.js';

/** A function in a form that can be sent. */
export type PortableFunction = PortableModule | PortableGraph;

/** A function that is imported with its module. */
export interface PortableModule {
  readonly kind: 'module';
  readonly name: string;
  readonly url: string;
  readonly exportName: string;
  readonly imports: true;
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

/** A value in a form that can be sent, functions in it included. */
export type PortableValue = Pick<PortableGraph, 'bytes' | 'attachments' | 'imports'>;

/** Whatever a user may give where a task function is asked for. */
export type AnyTask = ((...args: never[]) => unknown) | ModuleTask | URL;

/**
 * Makes a task portable, with the values that its variables have now.
 *
 * @throws UnportableFunctionError where it is, or captures, what cannot travel.
 */
export function makePortable(fn: AnyTask, options: CaptureOptions): PortableFunction {
  if (fn instanceof URL) return makePortable(moduleTask(fn), options);
  if (isModuleTask(fn))
    return { kind: 'module', name: fn.exportName, url: fn.url, exportName: fn.exportName, imports: true };
  return { kind: 'graph', name: fn.name === '' ? 'anonymous' : fn.name, ...capture(fn, options) };
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
  return (a.bytes === b.bytes || Buffer.compare(a.bytes, b.bytes) === 0) && isSameList(a.attachments, b.attachments);
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}
