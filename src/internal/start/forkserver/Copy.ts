/** How the copy of a process becomes a worker. Made in the original, which does ahead what copies would have to do each. */

import { connect } from 'node:net';
import { isCloneableByProcess } from '../../protocol/cloneable.js';
import { encodeThrown } from '../../protocol/errorCodec.js';
import { encodeFrame } from '../../protocol/frames.js';
import { FromWorker } from '../../protocol/messages.js';
import { setImmediate } from '../../platform/globals.js';
import { endIdleConnections, idleConnections } from '../../posix/connections.js';
import { leaveByExit } from '../../posix/leaving.js';
import type { Libc } from '../../posix/libc.js';
import { drainStores, prepareRandom, redirectRandom, reseed } from '../../posix/randomness.js';
import { V8Threads } from '../../posix/v8Threads.js';
import type { TemplateState } from '../../worker/TemplateState.js';
import { runProcessWorker } from '../process/processWorker.js';
import { greeting } from './Acceptor.js';
import { preload } from './preload.js';
import type { ForkRequest, ServerData } from './serverMessages.js';

export class Copy {
  readonly #libc: Libc;
  readonly #data: ServerData;
  readonly #random = prepareRandom();
  readonly #v8Threads = new V8Threads();

  constructor(libc: Libc, data: ServerData) {
    this.#libc = libc;
    this.#data = data;
  }

  /** In the original: has what {@link detach} does compiled. For a template it then takes 0.8 ms in a copy instead of 1.5 to 7. */
  warmUp(): void {
    if (this.#data.template === undefined) {
      reseed(prepareRandom());
      return;
    }
    redirectRandom();
    drainStores();
    idleConnections(this.#libc);
  }

  /** In a copy, at once: makes it a process of its own. */
  detach(): void {
    const libc = this.#libc;
    leaveByExit(libc, this.#data.aborts);
    Object.defineProperty(process, 'pid', { value: libc.getpid(), enumerable: true, configurable: true });
    Object.defineProperty(process, 'ppid', { get: () => libc.getppid(), enumerable: true, configurable: true });
    reseed(this.#random);
    if (this.#data.template === undefined) return;
    drainStores();
    endIdleConnections(libc);
  }

  /** In a copy: becomes a worker, with a channel of its own. */
  begin({ id, identity, cwd, env, argv }: ForkRequest, state: TemplateState | undefined): void {
    const { address, token, execArgv, preloads, template } = this.#data;
    this.#v8Threads.enter();
    // Node's thread for loaders may have work for them at once, and is no `Worker` that would start them: that of Yarn has WebAssembly.
    if (preloads.loader.length > 0 || preloads.import.length > 0) this.#v8Threads.start();
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
    process.execArgv = [...execArgv];
    if (template === undefined) process.argv.push(...argv);
    this.#enter(cwd);

    const channel = connect(address);
    channel.write(greeting(token, id));
    const run = (): void => {
      runProcessWorker(identity, channel, state);
      channel.once('data', () => setImmediate(() => this.#v8Threads.startLater()));
    };
    const fail = (error: unknown): void => {
      channel.write(encodeFrame([FromWorker.Fatal, encodeThrown(error, isCloneableByProcess)]), () => {
        throw error;
      });
    };
    void (template?.preloads === true ? Promise.resolve() : preload(preloads)).then(run, fail);
  }

  /** Goes where the program is: the kernel knows the way into a directory that has been deleted. */
  #enter(cwd: string | undefined): void {
    for (const directory of [cwd, `/proc/${this.#data.programPid}/cwd`]) {
      try {
        if (directory === undefined) continue;
        process.chdir(directory);
        return;
      } catch {
        // The next one, or else where this process was started.
      }
    }
  }
}
