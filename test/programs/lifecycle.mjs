// A program with a pool: what keeps it running, and how it ends. Arguments: the case, the start method.
import { WorkerPool } from './library.mjs';

const [, , what, startMethod] = process.argv;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms, ms));
const spin = () => {
  for (;;);
};
process.on('exit', () => console.log('exit'));

const cases = {
  // An idle pool of daemons, never ended.
  async idle() {
    const pool = new WorkerPool({ nJobs: 2, startMethod, keepAlive: true });
    console.log(await pool.map(wait, [1, 2]));
  },
  // A pool that was made, and never used.
  async unused() {
    new WorkerPool({ nJobs: 2, startMethod, keepAlive: true, daemon: false });
  },
  // Workers that are no daemons, never joined but late: the timer holds nothing open.
  async notDaemon() {
    const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true, daemon: false });
    await pool.apply(wait, [1]);
    const join = async () => {
      console.log('joining');
      await pool.stopAndJoin();
      console.log('joined');
    };
    const timer = setTimeout(() => void join(), 500);
    timer.unref();
  },
  // Nobody awaits the map.
  async running() {
    const pool = new WorkerPool({ nJobs: 2, startMethod });
    pool.map(wait, [300, 301]).then((results) => console.log(results));
  },
  async exitCode() {
    const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
    await pool.apply(() => process.exit(9)).catch((error) => console.log(error.name));
    process.exitCode = 5;
  },
  async exit() {
    const pool = new WorkerPool({ nJobs: 2, startMethod });
    pool.map(spin, [1, 2]).catch(() => console.log('rejected'));
    console.log(JSON.stringify(await pool.apply(() => process.pid).catch(String)));
    process.exit(6);
  },
  async pids() {
    const pool = new WorkerPool({ nJobs: 2, startMethod, keepAlive: true });
    const pid = () => new Promise((resolve) => setTimeout(() => resolve(process.pid), 100));
    console.log(JSON.stringify(await pool.map(pid, [1, 2], { chunkSize: 1 })));
    pool.map(spin, [1, 2]).catch(() => undefined);
    setTimeout(() => process.exit(0), 100);
  },
  // The program fails: its pool must not keep it.
  async uncaught() {
    const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true, daemon: false });
    await pool.apply(wait, [1]);
    setTimeout(() => {
      throw new Error('of the program');
    });
  },
  // A rejection that nobody hears is the program's failure, as any other.
  async unhandled() {
    const pool = new WorkerPool({ nJobs: 1, startMethod });
    void pool.apply(() => {
      throw new RangeError('of the task');
    });
  },
  async terminated() {
    const pool = new WorkerPool({ nJobs: 2, startMethod, daemon: false });
    const pending = pool.map(spin, [1, 2]).catch((error) => error.name);
    setTimeout(() => pool.terminate(), 200);
    console.log(await pending);
  },
  async stuckIterator() {
    const pool = new WorkerPool({ nJobs: 1, startMethod });
    for await (const x of pool.imap(wait, [1, 100_000])) {
      console.log(x);
      break;
    }
  },
};
await cases[what]();
