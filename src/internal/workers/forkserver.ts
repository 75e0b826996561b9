/** `forkserver`: a worker is a copy, by the real `fork`, of a small process that is up already. Linux only. */

import { isCloneableByProcess } from '../channel/cloneable.js';
import { whyNoLibc } from '../posix/libc.js';
import { ServerProcess } from './ServerProcess.js';
import { ProcessLink } from './ProcessLink.js';
import type { StartMethodStrategy, WorkerLink } from './StartMethod.js';

/** The one server of this program, or of this thread of it: shared by all pools. */
let server: ServerProcess | undefined;

function serverOf(): ServerProcess {
  if (server === undefined) {
    const started = new ServerProcess(
      { startMethod: 'forkserver' },
      {
        lost: () => {
          if (server === started) server = undefined; // the next worker gets another one
        },
      },
    );
    server = started;
  }
  return server;
}

export const forkserver: StartMethodStrategy = {
  name: 'forkserver',
  isCloneable: isCloneableByProcess,
  whyUnavailable: whyNoLibc,
  warmUp: () => serverOf().ready,

  start(identity, events): WorkerLink {
    const link: ProcessLink = new ProcessLink(events, () => kill());
    const kill = serverOf().fork(identity, link);
    return link;
  },
};
