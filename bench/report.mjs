// What the benchmark says: a table per case, and whether the goals were reached.

const count = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** Rates of all rounds, as rows of a table: the median, how far the rounds lie apart, the ratio to the fastest peer. */
export function summarise(contestants) {
  const rows = contestants.map(({ name, isPeer, isCold, rates }) => ({
    name,
    isPeer,
    isCold: isCold === true,
    rates,
    median: median(rates),
    lowest: Math.min(...rates),
    highest: Math.max(...rates),
  }));
  const fastestPeer = rows.filter(({ isPeer }) => isPeer).reduce((a, b) => (b.median > a.median ? b : a));
  return {
    fastestPeer: fastestPeer.name,
    rows: rows.map((row) => ({ ...row, ratio: row.median / fastestPeer.median })),
  };
}

export function formatTable({ rows, fastestPeer }) {
  const lines = [
    ['', 'values/s', 'lowest – highest', '× fastest peer'],
    ...rows.map(({ name, median: rate, lowest, highest, ratio }) => [
      name,
      count.format(rate),
      `${count.format(lowest)} – ${count.format(highest)}`,
      `${formatRatio(ratio)}${name === fastestPeer ? ' ←' : '  '}`,
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i] + 2))).join(''))
    .map((line) => `  ${line.trimEnd()}`)
    .join('\n');
}

/** A line per goal: `goals` says by name how many times as fast as the fastest peer a row is to be. */
export function formatGoals({ rows }, goals) {
  return rows
    .filter(({ name }) => goals[name] !== undefined)
    .map(({ name, ratio }) => {
      const reached = ratio >= goals[name] ? 'reached' : 'MISSED';
      return `  ${name}: goal ≥ ${goals[name]} times the fastest peer, is ${formatRatio(ratio)}: ${reached}`;
    })
    .join('\n');
}

function formatRatio(ratio) {
  return ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(1);
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
