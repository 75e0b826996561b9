/** A function made portable: what is sent to a worker so that it can be rebuilt there. */

import type { PortableFunction, PortableValue } from '../protocol/portable.js';
import { isModuleTask, moduleTask } from '../../moduleTask.js';
import type { AnyTask } from '../../taskTypes.js';
import { UnserializableError } from '../../errors.js';
import { capture, captureValue, type CaptureOptions } from './capture/capture.js';

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
