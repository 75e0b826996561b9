/**
 * What a worker process prints is written at once, to a pipe as to a file. Node would keep what a full pipe does not take: without a bound
 * while a task goes on printing, and lost when the worker is killed. So it waits until who reads has read.
 */

import { Socket } from 'node:net';
import { writeAll } from './writeAll.js';

const descriptors = { stdout: 1, stderr: 2 } as const;

type Write = (chunk: string | Uint8Array, encoding: BufferEncoding, callback: (error?: unknown) => void) => void;

/** From here on; of streams that are not made yet, for they are made at their first use, and most workers never print. */
export function writeOutputAtOnce(): void {
  if (process.platform === 'win32') return; // where Node does so
  for (const name of ['stdout', 'stderr'] as const) {
    const property = Object.getOwnPropertyDescriptor(process, name);
    const make = property?.get;
    if (make === undefined) continue;
    const changed = new WeakSet<object>();
    const get = (): unknown => {
      const stream = make.call(process) as NodeJS.WriteStream;
      if (stream instanceof Socket && !stream.isTTY && !changed.has(stream)) {
        changed.add(stream);
        writeAtOnce(stream, descriptors[name]);
      }
      return stream;
    };
    Object.defineProperty(process, name, { ...property, get });
  }
}

function writeAtOnce(stream: Socket, fd: number): void {
  const write: Write = (chunk, encoding, callback) => {
    try {
      writeAll(fd, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
      callback();
    } catch (error) {
      callback(error);
    }
  };
  Object.assign(stream, { _write: write, _writev: undefined });
}
