/**
 * Stops random processes of a test run for up to a second, by SIGSTOP, to find tests that hold only on an idle machine. A line for each stop
 * goes into a file, to be compared with what failed.
 */

import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** In milliseconds. */
const LONGEST_STOP = 1000;
const LONGEST_PAUSE = 400;

/**
 * @param {number} root Its descendants are stopped, not itself.
 * @param {string} log The file.
 * @returns {() => number} Ends it, lets all go on, and says how many stops there were.
 */
export function stopProcesses(root, log) {
  /** Those that are stopped now, with the timers that let them go on. */
  const stopped = new Map();
  let count = 0;
  let next;
  writeFileSync(log, '');
  const goOn = (pid) => {
    clearTimeout(stopped.get(pid));
    stopped.delete(pid);
    signal(pid, 'SIGCONT');
  };
  const stop = () => {
    const candidates = descendantsOf(root).filter(({ pid, state }) => state !== 'T' && !stopped.has(pid));
    const chosen = candidates[Math.floor(Math.random() * candidates.length)];
    if (chosen !== undefined && signal(chosen.pid, 'SIGSTOP')) {
      const time = Math.ceil(Math.random() * LONGEST_STOP);
      count++;
      appendFileSync(log, `${new Date().toISOString()} ${time} ms: ${chosen.pid} ${commandOf(chosen.pid)}\n`);
      stopped.set(
        chosen.pid,
        setTimeout(() => goOn(chosen.pid), time),
      );
    }
    next = setTimeout(stop, Math.random() * LONGEST_PAUSE);
  };
  const end = () => {
    clearTimeout(next);
    for (const pid of [...stopped.keys()]) goOn(pid);
    process.off('exit', end);
    return count;
  };
  process.on('exit', end);
  stop();
  return end;
}

function signal(pid, name) {
  try {
    return process.kill(pid, name);
  } catch {
    return false; // it has ended
  }
}

function descendantsOf(root) {
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    // The name of the command, in brackets, may hold anything.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === undefined || parent === undefined || state === 'Z') continue;
    const siblings = children.get(Number(parent)) ?? [];
    children.set(Number(parent), [...siblings, { pid: Number(name), state }]);
  }
  const found = [];
  const waiting = [root];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    for (const child of children.get(pid) ?? []) {
      found.push(child);
      waiting.push(child.pid);
    }
  }
  return found;
}

function commandOf(pid) {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 200);
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended
  }
}
