/** The functions that a worker has loaded, or is loading. */

import type { PortableFunction } from '../protocol/portable.js';
import { rebuild, type Task } from '../closures/rebuild.js';

/** A function; while it is loading, with those who wait for it. */
export type Load =
  | { readonly state: 'loading'; readonly waiting: ((task: Task | undefined) => void)[] }
  | { readonly state: 'loaded'; readonly task: Task };

export class FunctionTable {
  readonly #loads = new Map<number, Load>();

  /** Loads a function; calls back with the outcome, at once where nothing has to be waited for. */
  define(id: number, portable: PortableFunction, done: (failure?: { readonly error: unknown }) => void): void {
    const load: Load = { state: 'loading', waiting: [] };
    const loaded = (task: Task): void => {
      this.#loads.set(id, { state: 'loaded', task });
      done();
      for (const callback of load.waiting) callback(task);
    };
    const failed = (error: unknown): void => {
      this.#loads.delete(id); // the pool knows, and sends nothing for it but what is under way
      done({ error });
      for (const callback of load.waiting) callback(undefined);
    };
    this.#loads.set(id, load);
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

  /** Calls back when a function is loaded, or is known to be none; at once where that is so. */
  whenLoaded(id: number, callback: (task: Task | undefined) => void): void {
    const load = this.#loads.get(id);
    if (load?.state === 'loading') load.waiting.push(callback);
    else callback(load?.task);
  }

  forget(id: number): void {
    this.#loads.delete(id);
  }
}
