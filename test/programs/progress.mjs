// A program with a progress bar on its stderr. Arguments: the case, the start method.
import { from, take } from 'rxjs';
import { parallelMap, WorkerPool } from './library.mjs';

const [, , what, startMethod] = process.argv;
const wait = async (ms) => new Promise((resolve) => setTimeout(resolve, ms, ms));
const values = [50, 50, 50, 50];
const options = { nJobs: 1, startMethod, chunkSize: 1 };

const cases = {
  async completed() {
    const pool = new WorkerPool({ nJobs: 1, startMethod });
    // So long that there is a line between, also where the program has no turn of a CPU for a while.
    const longer = values.map((ms) => 6 * ms);
    const results = await pool.map(wait, longer, { progressBar: { description: 'waiting', throttle: 20 } });
    console.log('results', results.length);
  },
  async quiet() {
    const pool = new WorkerPool({ nJobs: 1, startMethod });
    await pool.map(wait, values, { progressBar: true });
  },
  async failed() {
    const fail = async (ms) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      throw new RangeError('too much\nof it');
    };
    const pool = new WorkerPool({ nJobs: 1, startMethod });
    await pool.map(fail, values, { progressBar: { unit: 'files' } }).catch((error) => console.log(error.message));
  },
  cancelled() {
    from(values)
      .pipe(parallelMap(wait, { ...options, progressBar: { total: 4 } }), take(2))
      .subscribe((value) => console.log(value));
  },
  /** A call inside of a worker inside of a worker, and one whose worker ends meanwhile. */
  async nestedBars() {
    const inner = async (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const outer = async (depth) => {
      const { WorkerPool } = await import('rxjs-parallel-map');
      const pool = new WorkerPool({ nJobs: 1, daemon: false });
      if (depth > 1) return pool.apply(outer, [depth - 1]);
      if (depth < 0) setTimeout(() => process.exit(3), 1500);
      const progressBar = { description: depth < 0 ? 'lost' : 'deep', unit: 'steps', throttle: 20 };
      return (await pool.map(inner, new Array(8).fill(depth < 0 ? 3000 : 200), { progressBar })).length;
    };
    const pool = new WorkerPool({ nJobs: 2, startMethod, daemon: false });
    const progressBar = { description: 'outer', throttle: 20 };
    const results = await pool.map(outer, [2, -1], { progressBar, settle: true });
    console.log(results.map(({ status }) => status).join(' '));
    await pool.stopAndJoin();
  },
  async nested() {
    const outer = async (n) => {
      const { WorkerPool } = await import('rxjs-parallel-map');
      const pool = new WorkerPool({ nJobs: 1 });
      const progressBar = { description: `inner ${n}`, unit: 'steps' };
      return (await pool.map((x) => x, [1, 2, 3], { progressBar })).length;
    };
    const pool = new WorkerPool({ nJobs: 1, startMethod, daemon: false });
    console.log(await pool.map(outer, [7], { progressBar: { description: 'outer' } }));
    await pool.stopAndJoin();
  },
};
await cases[what]();
