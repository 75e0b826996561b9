/** Starts a process of which workers are copies: with which flags, in which environment. */

import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { WorkerResources } from '../../../options.js';
import { forkFlags } from '../../posix/Forker.js';
import { runtimeUrl } from '../../runtimeUrl.js';
import { flagsOfOriginal, limitFlags, processExecArgv } from '../process/execArgv.js';
import { refusalOfProcess } from '../process/refusedFlags.js';
import type { Acceptor } from './Acceptor.js';
import type { ServerData } from './serverMessages.js';

/** What such a process itself is started with: less than its workers. */
export type ServerResources = Pick<WorkerResources, 'env' | 'argv' | 'execArgv' | 'resourceLimits'>;

export interface StartedOriginal {
  readonly child: ChildProcess;
  /** Whether it can load modules for its workers. */
  readonly loads: boolean;
  /** Why it has ended before it was up, where that may be because of its flags. */
  refusal(exitCode: number | null): Error | undefined;
}

/**
 * @param resources What its workers are started with.
 * @param template Of a template: whether its workers are daemons.
 * @throws what `spawn` throws, as for an environment that is too large.
 */
export function startOriginal(
  resources: ServerResources,
  { address, token }: Acceptor,
  template: { readonly daemon: boolean } | undefined,
): StartedOriginal {
  const execArgv = [...(resources.execArgv ?? processExecArgv(process.execArgv))];
  // A server serves pools whose workers may have any environment; a template loads what its workers would.
  const environment = (template && resources.env) ?? process.env;
  const { flags, nodeOptions, preloads, aborts } = flagsOfOriginal(execArgv, environment['NODE_OPTIONS']);
  // libuv's way to read files by io_uring has a thread that never rests.
  const env = { ...environment, NODE_OPTIONS: nodeOptions, UV_USE_IO_URING: '0' };
  // What is preloaded may start threads, which customization hooks have: then only the copies can do it, and load what needs it.
  const loads = template !== undefined && preloads.loader.length === 0 && preloads.import.length === 0;
  const data: ServerData = {
    address,
    token,
    programPid: process.pid,
    execArgv,
    preloads,
    aborts,
    template: template && { ...template, preloads: loads, argv: resources.argv },
  };
  const entry = fileURLToPath(runtimeUrl('forkserver/server'));
  // V8 takes the last of several: a program with other flags has them for its workers, too.
  const args = [...flags, ...limitFlags(resources.resourceLimits), ...forkFlags, entry, JSON.stringify(data)];
  return {
    child: spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'], env }),
    loads,
    refusal: (exitCode) => refusalOfProcess(exitCode, resources.execArgv, execArgv, environment),
  };
}
