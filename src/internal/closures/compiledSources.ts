/**
 * What V8 keeps of code that was made of text. From version 12 on (Node 22) its compilation cache has every such source, whether or
 * not anything of it is in use, until the heap is near its limit: a worker that is given ever new functions would grow to that
 * (measured: 300 MB after 6,000 functions of 50 kB, of which none was kept). Only a collection of all garbage clears that cache, so one
 * is asked for now and then, of the inspector, which every Node since then has, unless forbidden. In proportion to the heap,
 * so that it stays a small part of the work: 10 ms for each megabyte of source in a small worker, 150 ms for each 35 in one of 140 MB.
 */

import { getHeapStatistics } from 'node:v8';
import type { Session } from 'node:inspector';
import { setImmediate } from '../platform/globals.js';
import { openSession } from './inspectorSession.js';

/** V8 keeps them from this version on. */
const FIRST_VERSION = 12;
/** How many characters at least are compiled between two collections. */
const LEAST = 1_000_000;
/** And so large a part of the heap. */
const SHARE = 0.25;

/** How many characters were compiled since the last collection. */
let compiled = 0;
/** Whether a collection is on its way, or there can be none. */
let rests = Number.parseInt(process.versions.v8, 10) < FIRST_VERSION;

/** Some text was compiled. */
export function onCompiled(length: number): void {
  compiled += length;
  if (rests || compiled < LEAST || compiled < SHARE * getHeapStatistics().used_heap_size) return;
  rests = true;
  // Not while the function that this is for is being made.
  setImmediate(collect).unref();
}

function collect(): void {
  compiled = 0;
  const session = openSession();
  if (session === undefined) return; // V8 clears its cache in the end
  // Disconnected later: inside this callback V8 holds a lock that disconnecting waits for.
  session.post('HeapProfiler.collectGarbage', () => setImmediate(disconnect, session));
}

function disconnect(session: Session): void {
  session.disconnect();
  rests = false;
}
