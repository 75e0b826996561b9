/**
 * The entry of a process of which workers are copies. The program itself cannot be copied: `fork` copies one thread only, and the copy
 * would hang on the threads of V8 and of the user. There are two kinds:
 *
 * - The fork server: one small process of the program's that does nothing but be copied. It loads nothing of the user's, so that every
 *   worker begins where a fresh process would.
 * - The template of a pool, which loads functions and what they share before it is copied.
 */

import { Socket } from 'node:net';
import { encodeFrame } from '../../protocol/frames.js';
import { Forker } from '../../posix/Forker.js';
import { loadLibc, PR_SET_PDEATHSIG, SIGKILL, whyNoCopies } from '../../posix/libc.js';
import { leaveSignalsToProgram } from '../process/leaveSignals.js';
import { Copy } from './Copy.js';
import { Original } from './Original.js';
import { FromServer, type MessageFromServer, type ServerData } from './serverMessages.js';

/** The file descriptor of the pipe to the program. */
const CONTROL = 3;

const data = JSON.parse(process.argv.splice(2, 1)[0] as string) as ServerData;
const control = new Socket({ fd: CONTROL });
const tell = (message: MessageFromServer): void => void control.write(encodeFrame(message));

leaveSignalsToProgram(); // copies do so from their beginning, too
control.on('error', () => undefined);
control.on('close', () => process.exit(0));

try {
  const reason = whyNoCopies(); // by flags that only workers have
  if (reason !== undefined) throw new Error(reason);
  const libc = loadLibc();
  const forker = new Forker(libc);
  const copy = new Copy(libc, data);
  libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (libc.getppid() !== data.programPid) process.exit(0); // it has died in between
  new Original({ libc, forker, copy, control, tell }, data).serve();
} catch (error) {
  tell([FromServer.Unavailable, error instanceof Error ? error.message : String(error)]);
}
