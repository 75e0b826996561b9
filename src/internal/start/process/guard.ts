/**
 * The guard: a small process that ends this program's worker processes when the program itself is gone.
 *
 * A worker notices that its channel has closed, but not while it is inside an endless loop; and a program that is ended by
 * SIGKILL can do nothing for it. So a shell, which costs a millisecond and a megabyte, reads the pids of the workers from a
 * pipe, and when that closes, as the system sees to, kills those that are left. One guard serves all pools; it leaves with
 * the last worker. Where there is no shell, each worker watches by a thread of its own, which costs ten times as much.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';

const SHELL = '/bin/sh';

/** Signals to the program's process group are the program's to answer; the pipe tells how it did. */
const script = `
trap '' INT TERM HUP QUIT
pids=" $* "
while read -r change pid; do
  case $change in
    add) pids="$pids$pid " ;;
    remove) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
case $pids in *[0-9]*) kill -9 $pids ;; esac
`;

let available: boolean | undefined;

/** Whether a guard can be had on this machine. */
export function guardIsAvailable(): boolean {
  return (available ??= existsSync(SHELL));
}

class Guard {
  readonly #pids = new Set<number>();
  #shell: ChildProcess | undefined;

  add(pid: number): void {
    this.#pids.add(pid);
    if (this.#shell === undefined) this.#start();
    else this.#tell(`add ${pid}`);
  }

  remove(pid: number): void {
    this.#pids.delete(pid);
    if (this.#pids.size > 0) this.#tell(`remove ${pid}`);
    else this.#stop(pid);
  }

  #start(): void {
    // Those that live already as arguments: it knows them before anything can happen.
    const shell = spawn(SHELL, ['-c', script, 'guard', ...[...this.#pids].map(String)], {
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      env: {},
    });
    this.#shell = shell;
    const lost = (): void => {
      if (this.#shell !== shell) return;
      // It was killed from outside: the workers still need one.
      this.#shell = undefined;
      if (this.#pids.size > 0) this.#start();
    };
    shell.on('exit', lost);
    shell.on('error', () => {
      // It could not be started, for want of processes say; then the workers have their channels only.
      if (this.#shell === shell) this.#shell = undefined;
    });
    const { stdin } = shell;
    stdin?.on('error', () => undefined); // its exit says so
    shell.unref();
    (stdin as Socket | null)?.unref();
  }

  #stop(lastPid: number): void {
    this.#tell(`remove ${lastPid}`);
    const shell = this.#shell;
    this.#shell = undefined;
    shell?.stdin?.end();
  }

  #tell(line: string): void {
    this.#shell?.stdin?.write(`${line}\n`);
  }
}

/** The guard of this program, or of this thread of it. */
export const guard = new Guard();
