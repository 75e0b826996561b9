// mocha's spec reporter, which at the end also writes the counts, as JSON, to the file that `--reporter-option counts=`
// names.
import { writeFileSync } from 'node:fs';
import mocha from 'mocha';

export default class CountsReporter extends mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures } = runner.stats;
      writeFileSync(options.reporterOptions.counts, JSON.stringify({ passed: passes, failed: failures }));
    });
  }
}
