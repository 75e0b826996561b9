import { Piscina } from 'piscina';
import { runInWindow } from '../window.mjs';

const filename = new URL('../tasks.mjs', import.meta.url).href;

const contestant = (name, options, suits = () => true) => ({
  name,
  suits,
  open(nJobs) {
    const pool = new Piscina({ filename, minThreads: nJobs, maxThreads: nJobs, ...options });
    return {
      run: ({ taskName, ...batch }) => {
        const runOptions = { name: taskName };
        return runInWindow(batch, (value) => pool.run(value, runOptions));
      },
      close: () => pool.close(),
    };
  },
});

export default [
  contestant('piscina', {}),
  // Meant for tasks that wait for something; but small ones gain too, for a worker then has its next task at hand.
  contestant('piscina, 8 tasks per worker', { concurrentTasksPerWorker: 8 }, ({ isSmall }) => isSmall),
];
