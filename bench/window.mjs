/**
 * Runs a batch through a pool that takes one value and gives a promise. Keeps `window` values under way, so that no worker
 * has to wait for the next one and no queue grows long. Resolves to the sum of the results.
 *
 * Without an `await` per value, for the measuring itself should cost next to nothing.
 */
export function runInWindow({ values, window, toNumber }, execute) {
  return new Promise((resolve, reject) => {
    let sum = 0;
    let started = 0;
    let finished = 0;
    const start = () => {
      execute(values[started++]).then(onResult, reject);
    };
    const onResult = (result) => {
      sum += toNumber(result);
      if (started < values.length) start();
      if (++finished === values.length) resolve(sum);
    };
    while (started < Math.min(window, values.length)) start();
  });
}
