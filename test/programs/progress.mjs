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
    const results = await pool.map(wait, values, { progressBar: { description: 'waiting', throttle: 20 } });
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
