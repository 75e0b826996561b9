// A program in TypeScript, run by tsx: functions by source, and a task in a TypeScript module, in the start methods that its
// arguments name.
import { moduleTask, WorkerPool, type StartMethodName } from 'rxjs-parallel-map';

interface Point {
  readonly x: number;
}

for (const startMethod of process.argv.slice(2) as StartMethodName[]) {
  const pool = new WorkerPool({ nJobs: 1, startMethod });
  const bySource = await pool.map(
    (p: Point): number => {
      const inner = (n: number): number => n * 2; // tsx names it by a helper
      function declared(n: number): number {
        return n + 1;
      }
      return declared(inner(p.x));
    },
    [{ x: 1 }],
  );
  const task = moduleTask<(n: number) => string>(new URL('./typescriptTask.ts', import.meta.url), 'label');
  console.log(bySource, await pool.map(task, [5]));
}
