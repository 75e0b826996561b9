/**
 * `fork`: a worker is a copy, by the real `fork`, of the template of its pool: a process that has loaded the functions and what they
 * share. Linux only.
 */

import type { WorkerResources } from '../../../options.js';
import { workerOptions } from '../../options/poolOptions.js';
import { processChannel } from '../../protocol/checked.js';
import { isCloneableByProcess } from '../../protocol/cloneable.js';
import type { WorkerIdentity } from '../../protocol/messages.js';
import { setTimeout } from '../../platform/globals.js';
import type { PortableFunction, PortableValue } from '../../protocol/portable.js';
import { whyNoProcesses } from '../../platform/singleExecutable.js';
import { whyNoCopies } from '../../posix/libc.js';
import { ServerProcess } from '../forkserver/ServerProcess.js';
import type { Prepared, PoolStartMethod, WorkerEvents, WorkerTemplate, PoolLink } from '../../core/StartMethod.js';

/** A process that workers are copied from, and what it was asked to load. */
interface Template {
  readonly server: ServerProcess;
  readonly hasShared: boolean;
  readonly tasks: Set<number>;
  /** Functions that it is loading. */
  readonly loading: Set<number>;
  /** Whether it has failed to load one: another one may succeed, for a module that has failed is not imported again. */
  hasFailed: boolean;
  /** Its workers that have not ended. */
  living: number;
}

class Fork implements PoolStartMethod, WorkerTemplate {
  readonly name = 'fork';
  readonly options = workerOptions;
  readonly isCloneable = isCloneableByProcess;
  readonly channel = processChannel;
  readonly template = this;

  readonly #daemon: boolean;
  #shared: PortableValue | undefined;
  #wanted: ReadonlyMap<number, PortableFunction> = new Map();
  #template: Template | undefined;

  constructor(daemon: boolean) {
    this.#daemon = daemon;
  }

  whyUnavailable(tries?: boolean): string | undefined {
    return whyNoProcesses() ?? whyNoCopies(tries);
  }

  share(shared: PortableValue): void {
    this.#shared = shared;
  }

  /**
   * Only what comes while no worker lives is loaded by the template. Whatever the loading does then, a worker of another call is not
   * concerned; and workers that live load it themselves anyway.
   */
  prepare(tasks: ReadonlyMap<number, PortableFunction>): void {
    if (this.#template !== undefined && this.#template.living > 0) return;
    if (this.#template?.hasFailed === true) this.#discard();
    this.#wanted = tasks;
  }

  forget(task: number): void {
    if (this.#template?.tasks.delete(task) === true) this.#template.server.forget(task);
  }

  abandon(tasks: readonly number[], timeout: number): void {
    const template = this.#template;
    if (template === undefined || timeout === Infinity) return;
    const isLoading = (): boolean => tasks.some((task) => template.loading.has(task));
    if (!isLoading()) return;
    const timer = setTimeout(() => {
      if (isLoading()) template.server.interrupt();
    }, timeout);
    timer.unref();
  }

  start(identity: WorkerIdentity, resources: WorkerResources, events: WorkerEvents): PoolLink {
    this.#template ??= this.#create(resources);
    const template = this.#template;
    this.#load(template);
    template.living++;
    const told: WorkerEvents = {
      message: (message) => events.message(message),
      exit: (end) => {
        template.living--;
        events.exit(end);
      },
    };
    const prepared: Prepared = { shared: template.hasShared, tasks: new Set(template.tasks) };
    return template.server.fork(identity, resources, told, prepared);
  }

  close(callback: () => void): boolean {
    if (this.#template === undefined) return false;
    this.#template.server.end(callback);
    this.#template = undefined;
    return true;
  }

  #create(resources: WorkerResources): Template {
    const shared = this.#shared;
    const server = new ServerProcess(
      { startMethod: 'fork', resources, template: { daemon: this.#daemon } },
      {
        lost: () => {
          if (this.#template === template) this.#template = undefined;
        },
        isLoading: () => template.loading.size > 0,
        prepared: (task, succeeded) => {
          template.loading.delete(task);
          if (!succeeded) template.hasFailed = true;
        },
      },
    );
    const hasShared = shared !== undefined && (server.loads || !shared.imports);
    if (hasShared) server.share(shared);
    const template: Template = {
      server,
      hasShared,
      tasks: new Set(),
      loading: new Set(),
      hasFailed: false,
      living: 0,
    };
    return template;
  }

  #load({ server, tasks, loading }: Template): void {
    const wanted = this.#wanted;
    this.#wanted = new Map();
    for (const [task, portable] of wanted) {
      if (tasks.has(task) || (portable.imports && !server.loads)) continue;
      tasks.add(task);
      loading.add(task);
      server.define(task, portable);
    }
  }

  #discard(): void {
    this.#template?.server.end();
    this.#template = undefined;
  }
}

/** This start method, for one pool. */
export function forking(daemon: boolean): PoolStartMethod {
  return new Fork(daemon);
}
