/** How a `WorkerPool` is known. */

/** Marks a `WorkerPool`. A key rather than the class: the ESM and the CommonJS copy of this package accept each other's. */
export const poolBrand: unique symbol = Symbol.for('rxjs-parallel-map.pool') as never;

/** A `WorkerPool`, of this copy of the package or of another one in the same program. */
export interface AnyWorkerPool {
  /** Finishes what is pending and ends the workers. */
  stopAndJoin(): Promise<void>;
  /** Kills the workers. */
  terminate(): Promise<void>;
}

/** Whether `value` is a `WorkerPool`, of whichever copy of this package. */
export function isWorkerPool(value: unknown): value is AnyWorkerPool {
  return typeof value === 'object' && value !== null && poolBrand in value;
}
