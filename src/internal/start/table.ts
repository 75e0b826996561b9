/** The start methods by name, and those of others: the one place that knows them all. */

import type { StartMethod } from '../../StartMethod.js';
import type { StartMethodName } from '../options/poolOptions.js';
import { isCloneableByProcess } from '../protocol/cloneable.js';
import type { PoolStartMethod } from '../core/StartMethod.js';
import { forking } from './fork/fork.js';
import { forkserving } from './forkserver/forkserver.js';
import { inlining } from './inline/inline.js';
import { spawning } from './spawn/spawn.js';
import { threading } from './threading/threading.js';
import { whyNoLibc } from '../posix/libc.js';

const startMethods: Readonly<Record<StartMethodName, (daemon: boolean) => PoolStartMethod>> = {
  threading: () => threading,
  spawn: () => spawning(),
  forkserver: () => forkserving(),
  fork: (daemon) => forking(daemon),
  inline: () => inlining(),
};

/** A start method, for one pool. */
export function startMethodOf(given: StartMethodName | StartMethod, daemon: boolean): PoolStartMethod {
  return typeof given === 'string' ? startMethods[given](daemon) : adapt(given);
}

/** What others have written: the same with defaults, and nothing that only the package's own have. */
function adapt(given: StartMethod): PoolStartMethod {
  const isCloneable = (value: unknown): boolean => given.isCloneable?.(value) ?? isCloneableByProcess(value);
  return {
    name: given.name,
    options: given.options ?? [],
    isCloneable,
    channel: { carries: isCloneable, moves: given.isCloneable !== undefined },
    whyUnavailable: () => given.whyUnavailable?.(),
    available: (onMore) => countOf(given.available?.(onMore) ?? Infinity),
    start: (identity, resources, { message, exit }) => {
      const events = { message: message as (message: unknown) => void, exit };
      return given.start(identity, resources, events);
    },
  };
}

/** What others say, as a number of workers. */
function countOf(available: number): number {
  return available > 0 ? Math.floor(available) : 0;
}

/** Why workers cannot be kept on some CPUs; `undefined` where they can. */
export function whyNoPinning(): string | undefined {
  return whyNoLibc();
}
