/** What Node gives a pool. */

import type { Platform } from '../core/Platform.js';
import { printLine } from '../observe/progress/printLine.js';
import { programHasBars } from '../observe/progress/programHasBars.js';
import { bindContext, runInRootContext } from '../platform/asyncContext.js';
import { cpuCount } from '../platform/cpus.js';
import { EventLoopRef } from '../platform/EventLoopRef.js';
import { clearTimeout, now, queueMicrotask, setImmediate, setTimeout } from '../platform/globals.js';
import { currentWorker } from '../worker/identity.js';

export const nodePlatform: Platform = {
  now,
  setTimeout: (callback, delay) => setTimeout(callback, delay).unref(),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
  setImmediate: (callback) => void setImmediate(callback),
  queueMicrotask,
  openEventLoopRef: () => new EventLoopRef(),
  bindContext,
  runInRootContext,
  cpuCount,
  currentWorker,
  hasBars: programHasBars,
  printLine,
  warn: (message) => process.emitWarning(message, { type: 'WorkerPoolWarning' }),
};
