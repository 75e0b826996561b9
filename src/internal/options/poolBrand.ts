/** Recognises a `WorkerPool`, also of the other format of this package, or of a copy elsewhere in `node_modules`. */

/** The version of this package. Copies of different versions do not share pools. */
export const version = '0.1.0';

/** A key instead of the class, so that the ES module and the CommonJS copy of this package accept each other's pools. */
export const poolBrand: unique symbol = Symbol.for('rxjs-parallel-map.pool') as never;

/** What a pool has under its brand. @typeParam Runner What runs its calls: an internal type that only the same version has. */
export interface PoolBrand<Runner> {
  readonly version: string;
  readonly runner: Runner;
}

/** A `WorkerPool`, of this copy of the package or of another one in the same program. */
export interface AnyWorkerPool {
  /** Finishes pending calls and ends the workers. */
  stopAndJoin(): Promise<void>;
  /** Kills the workers. */
  terminate(): Promise<void>;
}

/** Whether a value is a `WorkerPool` of this version of the package. */
export function isWorkerPool(value: unknown): value is AnyWorkerPool {
  return brandOf(value)?.version === version;
}

/** What runs the calls of a pool. */
export function runnerOf<Runner>(pool: AnyWorkerPool): Runner {
  return (brandOf(pool) as PoolBrand<Runner>).runner;
}

/** Advice about a pool of another version. Empty for anything else. */
export function otherVersion(value: object): string {
  const theirs = brandOf(value)?.version;
  if (theirs === undefined || theirs === version) return '';
  return (
    ` It is of rxjs-parallel-map ${theirs}, and this is ${version}: see that there is one copy in node_modules, ` +
    'for instance with "npm dedupe".'
  );
}

function brandOf(value: unknown): Partial<PoolBrand<unknown>> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as { readonly [poolBrand]?: Partial<PoolBrand<unknown>> })[poolBrand];
}
