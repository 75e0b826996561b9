/** A function made portable: what is sent to a worker so that it can be rebuilt there. */

import { nameClass } from '../protocol/classNames.js';
import { classesOf, setClasses, type PortableFunction, type PortableValue } from '../protocol/portable.js';
import { isModuleTask, moduleTask } from '../../moduleTask.js';
import type { AnyTask } from '../../taskTypes.js';
import { UnserializableError } from '../../errors.js';
import { capture, captureValue, classesIn, type CaptureOptions } from './capture/capture.js';

/**
 * Makes a task portable, with the values that its variables have now.
 *
 * @throws UnportableFunctionError where it is, or captures, what cannot travel.
 */
export function makePortable(fn: AnyTask, options: CaptureOptions): PortableFunction {
  if (fn instanceof URL) return makePortable(moduleTask(fn), options);
  if (isModuleTask(fn)) {
    const { url, exportName } = fn;
    const { classes = [] } = options;
    const names = classes.map(({ name }) => name);
    const classNames = classes.map(nameClass);
    const base = { kind: 'module', name: exportName, url, exportName, imports: true } as const;
    return setClasses({ ...base, classes: names, classNames }, classes);
  }
  if (options.isLocal === true) {
    const known = [...(options.classes ?? []), ...classesIn(fn, options)];
    return setClasses({ kind: 'local', name: nameOf(fn), fn, imports: false }, known);
  }
  const taken = capture(fn, options);
  return setClasses({ kind: 'graph', name: nameOf(fn), ...taken }, classesOf(taken.bytes));
}

/** What messages call a function. */
export function nameOf({ name }: { readonly name: string }): string {
  return name === '' ? 'anonymous' : name;
}

/** The value of an option that stays in this thread, with the classes in it. */
export function keepValueLocal(value: unknown, isCloneable: (value: unknown) => boolean): PortableValue {
  const local = { local: value, imports: false } as const;
  return setClasses(local, classesIn({ value }, { captures: undefined, isCloneable }));
}

/** Makes an option's value portable. @throws UnserializableError, or UnportableFunctionError because of a function in it. */
export function makeValuePortable(
  name: string,
  value: unknown,
  isCloneable: (value: unknown) => boolean,
): PortableValue {
  const refusal = (path: string, kind: string): Error => new UnserializableError({ path, kind, direction: 'input' });
  const taken = captureValue(name, value, { captures: undefined, isCloneable, refusal });
  return setClasses(taken, classesOf(taken.bytes));
}
