/** The functions that a worker has loaded, or is loading. */

import type { PortableFunction } from '../functions/portable.js';
import { rebuild, type Task } from '../functions/rebuild.js';

/** A function on the shelf. */
export type Load = { readonly state: 'loading' } | { readonly state: 'loaded'; readonly task: Task };

export class TaskShelf {
  readonly #loads = new Map<number, Load>();

  /** Loads a function; calls back with the outcome, at once where nothing has to be waited for. */
  define(id: number, portable: PortableFunction, done: (failure?: { readonly error: unknown }) => void): void {
    const loaded = (task: Task): void => {
      this.#loads.set(id, { state: 'loaded', task });
      done();
    };
    const failed = (error: unknown): void => {
      this.#loads.delete(id); // the pool knows, and sends nothing for it but what is under way
      done({ error });
    };
    this.#loads.set(id, { state: 'loading' });
    let rebuilt: Task | Promise<Task>;
    try {
      rebuilt = rebuild(portable);
    } catch (error) {
      failed(error);
      return;
    }
    if (typeof rebuilt === 'function') loaded(rebuilt);
    else rebuilt.then(loaded, failed);
  }

  get(id: number): Load | undefined {
    return this.#loads.get(id);
  }

  forget(id: number): void {
    this.#loads.delete(id);
  }
}
