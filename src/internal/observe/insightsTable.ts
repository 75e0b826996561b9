/** Insights as text: tables for people to read. */

import type { Insights } from '../../insights.js';

/** A table: all cells of a column are as wide as the widest one, and to the right but those of the first column. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] as readonly string[]).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
        .join('  '),
    )
    .join('\n');
}

export function formatInsights(insights: Insights): string {
  const stages = [
    ['start-up', 'startUp', 'StartUp'],
    ['init', 'init', 'Init'],
    ['waiting', 'waiting', 'Waiting'],
    ['working', 'working', 'Working'],
    ['exit', 'exit', 'Exit'],
  ] as const;
  const times = [
    ['', 'total', 'part', 'mean', 'std'],
    ...stages.map(([title, key, Key]) => [
      title,
      duration(insights[`total${Key}Time`]),
      percent(insights[`${key}Ratio`]),
      duration(insights[`${key}TimeMean`]),
      duration(insights[`${key}TimeStd`]),
    ]),
    ['all', duration(insights.totalTime), '', '', ''],
  ];
  const percentiles = [
    ['', 'p50', 'p90', 'p99'],
    ...(['waiting', 'working'] as const).map((key) => [
      key === 'waiting' ? 'a wait' : 'a task',
      ...(['P50', 'P90', 'P99'] as const).map((p) => duration(insights[`${key}Time${p}`])),
    ]),
  ];
  const { bytesSent, bytesReceived } = insights;
  const traffic = (id: number): string[] =>
    bytesSent === undefined ? [] : [bytes(bytesSent[id] ?? 0), bytes(bytesReceived?.[id] ?? 0)];
  const workers = [
    ['worker', 'tasks', ...stages.map(([title]) => title), 'restarts', 'memory'].concat(
      bytesSent === undefined ? [] : ['sent', 'received'],
    ),
    ...insights.nCompletedTasks.map((tasks, id) => [
      String(id),
      count(tasks),
      ...stages.map(([, key]) => duration(insights[`${key}Time`][id] ?? 0)),
      count(insights.workerRestarts[id] ?? 0),
      bytes(insights.memory[id] ?? 0),
      ...traffic(id),
    ]),
  ];
  const longest = insights.top5MaxTaskDurations.map(
    (time, i) => `  ${duration(time).padStart(8)}  ${insights.top5MaxTaskArgs[i]}`,
  );
  const tasks = insights.nCompletedTasks.reduce((sum, n) => sum + n, 0);
  const parts = [
    `${count(tasks)} tasks by ${insights.nCompletedTasks.length} workers`,
    table(times),
    table(percentiles),
    table(workers),
    ...(longest.length === 0 ? [] : [`longest tasks\n${longest.join('\n')}`]),
  ];
  return parts.join('\n\n');
}

/** A time in milliseconds with three digits and the unit that suits it. */
function duration(ms: number): string {
  if (ms === 0) return '0 ms';
  if (ms < 1) return `${digits(ms * 1000)} µs`;
  if (ms < 1000) return `${digits(ms)} ms`;
  if (ms < 100_000) return `${digits(ms / 1000)} s`;
  return `${count(Math.round(ms / 1000))} s`;
}

function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  if (n < 1e6) return `${digits(n / 1e3)} kB`;
  return n < 1e9 ? `${digits(n / 1e6)} MB` : `${digits(n / 1e9)} GB`;
}

function digits(n: number): string {
  return n.toFixed(Math.min(3, Math.max(0, 2 - Math.floor(Math.log10(n)))));
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}
