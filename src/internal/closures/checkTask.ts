/** What is a task, and what is said of what is none. */

import { isModuleTask } from '../../moduleTask.js';
import { describeValue } from '../options/describeValue.js';
import type { AnyTask } from '../../taskTypes.js';

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
