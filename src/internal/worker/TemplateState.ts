/** What a template has loaded before it is copied: each of its workers has it from the start. */

import type { PortableFunction, PortableValue } from '../protocol/portable.js';
import { rebuildValue, type Rebuilt } from '../closures/rebuild.js';
import { FunctionTable } from './FunctionTable.js';

/** What is shared, or why it could not be built. */
export type Shared = Rebuilt | { readonly error: unknown };

export class TemplateState {
  readonly functions = new FunctionTable();
  /** The functions that were asked for, with the error of those that could not be loaded. */
  readonly tasks = new Map<number, { readonly error: unknown } | undefined>();
  shared: Shared | undefined;

  /** Loads a function, and calls back when that is done. */
  define(task: number, portable: PortableFunction, done: (succeeded: boolean) => void): void {
    this.functions.define(task, portable, (failure) => {
      this.tasks.set(task, failure);
      done(failure === undefined);
    });
  }

  forget(task: number): void {
    this.functions.forget(task);
    this.tasks.delete(task);
  }

  /** Builds what is shared, and calls back when that is done. */
  share(portable: PortableValue, done: () => void): void {
    const settle = (shared: Shared): void => {
      this.shared = shared;
      done();
    };
    rebuildValue(portable).then(settle, (error: unknown) => settle({ error }));
  }
}
