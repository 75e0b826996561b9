/** `forkserver`: a worker is a copy, by the real `fork`, of a small process that is up already. Linux only. */

import { workerOptions } from '../../options/poolOptions.js';
import { processChannel } from '../../protocol/checked.js';
import { isCloneableByProcess } from '../../protocol/cloneable.js';
import { whyNoCopies } from '../../posix/libc.js';
import { ServerProcess, type ServerResources } from './ServerProcess.js';
import { ProcessLink } from '../process/ProcessLink.js';
import type { PoolStartMethod, PoolLink } from '../../core/StartMethod.js';

/**
 * The servers of this program, or of this thread of it, by their flags and by who they run as: mostly one, shared by all pools. A program that
 * has given up its rights, as services that start as root do, must not have workers with them.
 */
const servers = new Map<string, ServerProcess>();

function serverOf({ execArgv, resourceLimits }: Pick<ServerResources, 'execArgv' | 'resourceLimits'>): ServerProcess {
  const resources = { execArgv, resourceLimits, env: undefined, argv: [] };
  const user = [
    process.getuid?.(),
    process.geteuid?.(),
    process.getgid?.(),
    process.getegid?.(),
    process.getgroups?.(),
  ];
  const key = JSON.stringify([execArgv, resourceLimits, user]);
  let server = servers.get(key);
  if (server === undefined) {
    const started = new ServerProcess(
      { startMethod: 'forkserver', resources },
      {
        lost: () => {
          if (servers.get(key) === started) servers.delete(key); // the next worker gets another one
        },
      },
    );
    server = started;
    servers.set(key, server);
  }
  return server;
}

const forkserver: PoolStartMethod = {
  name: 'forkserver',
  options: workerOptions,
  isCloneable: isCloneableByProcess,
  channel: processChannel,
  whyUnavailable: whyNoCopies,
  warmUp: () => serverOf({ execArgv: undefined, resourceLimits: undefined }).ready,

  start(identity, resources, events): PoolLink {
    const link: ProcessLink = new ProcessLink(events, () => kill());
    const kill = serverOf(resources).fork(identity, resources, link);
    return link;
  },
};

/** This start method. */
export function forkserving(): PoolStartMethod {
  return forkserver;
}
