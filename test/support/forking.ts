/**
 * A process that copies itself, run by test/unit/forker.test.ts. It says in JSON what became of the copies: `node forking.js restless` has
 * another thread run while the first of them is made.
 */

import { pbkdf2 } from 'node:crypto';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { Forker } from '../../src/internal/posix/Forker.js';
import { loadLibc } from '../../src/internal/posix/libc.js';

const isRestless = process.argv[2] === 'restless';
const compute = promisify(pbkdf2);
await compute('text', 'salt', 1, 20, 'sha1'); // from here on libuv has threads

const libc = loadLibc();
const made: number[] = [];
const fork = (): number => {
  if (isRestless && made.length === 0) {
    void compute('text', 'salt', 1, 20, 'sha1');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20); // it has run, and rests again
  }
  const pid = libc.fork();
  if (pid > 0) made.push(pid);
  return pid;
};

const forker = new Forker({ ...libc, fork });
const pid = forker.fork();
if (pid === 0) libc._exit(7);
const end = forker.reap(pid, true);
const left = made.filter((copy) => existsSync(`/proc/${copy}`));
console.log(JSON.stringify({ made: made.length, isLast: made.at(-1) === pid, end, left }));
