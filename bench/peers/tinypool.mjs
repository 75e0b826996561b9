import { Tinypool } from 'tinypool';
import { runInWindow } from '../window.mjs';

const filename = new URL('../tasks.mjs', import.meta.url).href;

const contestant = (name, options, suits = () => true) => ({
  name,
  suits,
  open(nJobs) {
    const pool = new Tinypool({ filename, minThreads: nJobs, maxThreads: nJobs, ...options });
    return {
      run: ({ taskName, ...batch }) => {
        const runOptions = { name: taskName };
        return runInWindow(batch, (value) => pool.run(value, runOptions));
      },
      close: () => pool.destroy(),
    };
  },
});

export default [
  contestant('tinypool', {}),
  // As for piscina, of which it is a fork; here it nearly doubles the speed.
  contestant('tinypool, 8 tasks per worker', { concurrentTasksPerWorker: 8 }, ({ isSmall }) => isSmall),
];
