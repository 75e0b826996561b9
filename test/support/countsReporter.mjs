// mocha's spec reporter, with the stacks of failures as places in the sources. At the end it also writes the counts, as JSON, to the
// file that `--reporter-option counts=` names. If the process does not exit then, it says what is left.
import { writeFileSync } from 'node:fs';
import mocha from 'mocha';
import { sourcePlaces } from '../../build/test/support/sourcePlaces.js';

const { EVENT_RUN_END, EVENT_TEST_FAIL } = mocha.Runner.constants;

export default class CountsReporter extends mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.on(EVENT_TEST_FAIL, (_test, error) => {
      if (typeof error?.stack === 'string') error.stack = sourcePlaces(error.stack);
    });
    runner.once(EVENT_RUN_END, () => {
      const { passes, failures } = runner.stats;
      const file = options.reporterOptions?.counts;
      if (file !== undefined) writeFileSync(file, JSON.stringify({ passed: passes, failed: failures }));
      // Not referenced: it holds nothing open itself.
      setTimeout(tellWhatIsLeft, 10_000).unref();
    });
  }
}

/** What keeps the process from exiting, with what tells one handle from another. */
function tellWhatIsLeft() {
  console.log(`\nStill running. Resources that are active: ${process.getActiveResourcesInfo().join(', ')}`);
  for (const handle of process._getActiveHandles()) {
    const { pid, spawnargs, threadId, fd, path } = handle;
    console.log(
      handle.constructor?.name,
      JSON.stringify({ pid, spawnargs, threadId, fd, path, ref: handle.hasRef?.() }),
    );
  }
}
