// Tasks that write to the console. Arguments: the case, the start method.
import { WorkerPool } from './library.mjs';

const [, , what, startMethod] = process.argv;

const cases = {
  async lines() {
    const pool = new WorkerPool({ nJobs: 1, startMethod });
    await pool.map((i) => (i % 2 === 0 ? console.log(`line ${i}`) : console.error(`line ${i}`)), numbers(10_000));
    console.log('end');
    console.error('end');
  },
  async oneTask() {
    const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
    await pool.apply(() => {
      for (let i = 0; i < 10_000; i++) console.log(`line ${i} ${'x'.repeat(50)}`);
    });
    await pool.stopAndJoin();
    console.log('end');
  },
  async throwing() {
    const pool = new WorkerPool({ nJobs: 1, startMethod });
    await pool
      .apply(() => {
        for (let i = 0; i < 1000; i++) console.log(`line ${i}`);
        throw new Error('right after');
      })
      .catch(() => console.log('end'));
  },
  async exiting() {
    const pool = new WorkerPool({ nJobs: 1, startMethod });
    await pool
      .apply(() => {
        for (let i = 0; i < 100; i++) console.log(`line ${i}`);
        process.exit(1);
      })
      .catch(() => console.log('end'));
  },
  async late() {
    const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
    await pool.apply(() => {
      setTimeout(() => console.log('line 0'), 50);
    });
    await pool.apply(() => new Promise((resolve) => setTimeout(resolve, 200)));
    await pool.stopAndJoin();
    console.log('end');
  },
  async afterwards() {
    const pool = new WorkerPool({ nJobs: 1, startMethod });
    await pool.apply(() => {
      setImmediate(() => {
        for (let i = 0; i < 20_000; i++) console.log(`line ${i}`);
      });
    });
    console.log('end');
  },
  async much() {
    const pool = new WorkerPool({ nJobs: 1, startMethod });
    const megabytes = await pool.apply(() => {
      const before = process.memoryUsage.rss();
      for (let i = 0; i < 2000; i++) console.log('x'.repeat(50_000));
      return Math.round((process.memoryUsage.rss() - before) / 1e6);
    });
    console.error(megabytes);
  },
  async workers() {
    const pool = new WorkerPool({ nJobs: 3, startMethod });
    await pool.map((i) => console.log(`line ${i}`), numbers(3000));
    console.log('end');
  },
};

function numbers(count) {
  return Array.from({ length: count }, (_, i) => i);
}

await cases[what]();
