/** `spawn`: a worker is a fresh Node process, heard over a pipe of its own. */

import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { runtimeUrl } from '../../runtimeUrl.js';
import { whyNoProcesses } from '../../platform/singleExecutable.js';
import { workerOptions } from '../../options/poolOptions.js';
import { processChannel } from '../../protocol/checked.js';
import { isCloneableByProcess } from '../../protocol/cloneable.js';
import { withDeathSignal } from '../process/deathSignal.js';
import { inheritedNodeOptions, limitFlags, preloadsAnything, processExecArgv } from '../process/execArgv.js';
import { guard, guardIsAvailable } from '../process/guard.js';
import { CHANNEL, LIFELINE } from './descriptors.js';
import type { ProcessData } from './process.js';
import { ProcessLink } from '../process/ProcessLink.js';
import { refusalOfProcess } from '../process/refusedFlags.js';
import type { PoolStartMethod, PoolLink } from '../../core/StartMethod.js';

const strategy: PoolStartMethod = {
  name: 'spawn',
  options: workerOptions,
  isCloneable: isCloneableByProcess,
  channel: processChannel,
  whyUnavailable: whyNoProcesses,

  start(identity, { env, argv, execArgv, resourceLimits }, events): PoolLink {
    const watch = !guardIsAvailable();
    const stdio: StdioOptions = ['ignore', 'inherit', 'inherit', 'pipe'];
    // The lifeline: never written to, and closed by the system when this program ends.
    if (watch) stdio.push('pipe');
    const limits = limitFlags(resourceLimits);
    const flags = execArgv ?? processExecArgv(process.execArgv);
    const first = preloadsAnything(flags) ? ['--require', fileURLToPath(runtimeUrl('spawn/preloaded'))] : [];
    // What the user has set for workers alone is for them.
    const { NODE_OPTIONS: nodeOptions = '' } = process.env;
    const isInherited = (env ?? process.env)['NODE_OPTIONS'] === nodeOptions;
    const inherited = isInherited ? inheritedNodeOptions(nodeOptions) : nodeOptions;
    const restores = inherited !== nodeOptions;
    const data: ProcessData = {
      identity,
      watch,
      ownFlags: [first.length, limits.length],
      nodeOptions: restores ? nodeOptions : undefined,
    };
    const [file, args] = withDeathSignal(process.execPath, [
      ...first,
      ...flags,
      ...limits,
      fileURLToPath(runtimeUrl('spawn/process')),
      JSON.stringify(data),
      ...argv,
    ]);
    const child: ChildProcess = spawn(file, args, {
      stdio,
      windowsHide: true,
      ...(env === undefined && !restores
        ? {}
        : { env: { ...(env ?? process.env), ...(restores && { NODE_OPTIONS: inherited }) } }),
    });
    const { pid } = child;
    if (pid === undefined) {
      // No process: there is nothing but an `error` event to hear.
      child.once('error', (error) => events.exit({ exitCode: null, signal: null, error }));
      return { send: () => undefined, kill: () => undefined, claims: () => undefined };
    }
    if (!watch) guard.add(pid);

    const link = new ProcessLink(events, { kill: () => void child.kill('SIGKILL') });
    link.attach(child.stdio[CHANNEL] as Socket);
    child.on('error', () => undefined); // a kill that comes too late
    child.on('exit', (exitCode, signal) => {
      if (!watch) guard.remove(pid);
      child.stdio[LIFELINE]?.destroy();
      const isUp = link.traffic.received > 0;
      link.exited(exitCode, signal, isUp ? undefined : refusalOfProcess(exitCode, execArgv, flags, env ?? process.env));
    });
    child.unref();
    (child.stdio[LIFELINE] as Socket | undefined)?.unref();
    return link;
  },
};

/** This start method. */
export function spawning(): PoolStartMethod {
  return strategy;
}
