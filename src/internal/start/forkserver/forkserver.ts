/** `forkserver`: a worker is a copy, by the real `fork`, of a small process that is up already. Linux only. */

import { workerOptions } from '../../options/poolOptions.js';
import { processChannel } from '../../protocol/checked.js';
import { isCloneableByProcess } from '../../protocol/cloneable.js';
import { whyNoProcesses } from '../../platform/singleExecutable.js';
import { whyNoCopies } from '../../posix/libc.js';
import { ServerProcess } from './ServerProcess.js';
import type { ServerResources } from './startOriginal.js';
import type { PoolStartMethod } from '../../core/StartMethod.js';

/**
 * The fork servers of this program, or of this thread of it, by their flags and by who they run as: mostly one, shared by all pools. A
 * program that has given up its rights, as services that start as root do, must not have workers with them.
 */
class ForkServers {
  readonly #servers = new Map<string, ServerProcess>();

  get({ execArgv, resourceLimits }: Pick<ServerResources, 'execArgv' | 'resourceLimits'>): ServerProcess {
    const key = JSON.stringify([execArgv, resourceLimits, userOfProgram()]);
    const known = this.#servers.get(key);
    if (known !== undefined) return known;
    const server = new ServerProcess(
      { startMethod: 'forkserver', resources: { execArgv, resourceLimits, env: undefined, argv: [] } },
      {
        lost: () => {
          if (this.#servers.get(key) === server) this.#servers.delete(key); // the next worker gets another one
        },
      },
    );
    this.#servers.set(key, server);
    return server;
  }
}

function userOfProgram(): unknown {
  return [process.getuid?.(), process.geteuid?.(), process.getgid?.(), process.getegid?.(), process.getgroups?.()];
}

const servers = new ForkServers();

const forkserver: PoolStartMethod = {
  name: 'forkserver',
  options: workerOptions,
  isCloneable: isCloneableByProcess,
  channel: processChannel,
  whyUnavailable: (tries) => whyNoProcesses() ?? whyNoCopies(tries),
  warmUp: () => servers.get({ execArgv: undefined, resourceLimits: undefined }).ready,
  start: (identity, resources, events) => servers.get(resources).fork(identity, resources, events),
};

/** This start method. */
export function forkserving(): PoolStartMethod {
  return forkserver;
}
