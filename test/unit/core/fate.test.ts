// What becomes of a chunk whose worker ends: the table of test/support/fake/deathTable.ts, and what holds whatever the facts are.
import { expect } from 'chai';
import { fateOf, type DeathFacts } from '../../../src/internal/core/pool/fate.js';
import { deathsByEnding, type DeathCase } from '../../support/fake/deathTable.js';

const signals = { SIGKILL: 'SIGKILL', SIGINT: 'SIGINT', us: null, exit: null, error: null } as const;

/** What is known of a case. */
function factsOf({ ending, state, isRetried, hasClaims }: DeathCase): DeathFacts {
  const { stage, importsModules, by } = ending;
  const isBegun = state !== 'waiting';
  const claims = { cancelled: 0, waiting: 0, given: 0, 'given again': 0, begun: 2, 'in part': 2, yielded: 1, moved: 1 };
  const deaths = state === 'given again' ? 1 : 0;
  return {
    isWanted: state !== 'cancelled',
    isBegun,
    claimed: hasClaims ? (stage === 'tasks' ? claims[state] : 0) : undefined,
    stage,
    importsModules,
    wasKilled: by === 'us',
    signal: signals[by],
    hasCause: by === 'error',
    moved: state === 'moved',
    yielded: state === 'yielded',
    deaths,
    retries: isRetried ? deaths + 1 : deaths,
  };
}

/** All facts that there can be, and more. */
function* allFacts(): Generator<DeathFacts> {
  const booleans = [false, true];
  for (const isWanted of booleans)
    for (const isBegun of booleans)
      for (const claimed of [undefined, 0, 1])
        for (const stage of ['loading', 'init', 'tasks'] as const)
          for (const importsModules of booleans)
            for (const wasKilled of booleans)
              for (const signal of [null, 'SIGKILL', 'SIGINT'])
                for (const hasCause of booleans)
                  for (const moved of booleans)
                    for (const yielded of booleans)
                      for (const deaths of [0, 1, 2])
                        for (const retries of [0, 1, 2])
                          yield {
                            isWanted,
                            isBegun,
                            claimed,
                            stage,
                            importsModules,
                            wasKilled,
                            signal,
                            hasCause,
                            moved,
                            yielded,
                            deaths,
                            retries,
                          };
}

/** Checks something for all facts, of which it says in a failure which they are. */
function forAll(isMeant: (facts: DeathFacts) => boolean, holds: (facts: DeathFacts) => boolean): void {
  let count = 0;
  for (const facts of allFacts()) {
    if (!isMeant(facts)) continue;
    count++;
    if (!holds(facts)) throw new Error(`${fateOf(facts)}: ${JSON.stringify(facts)}`);
  }
  expect(count).to.be.above(0);
}

const isStartedAgain = (facts: DeathFacts): boolean => ['return', 'start again', 'retry'].includes(fateOf(facts));

for (const [ending, cases] of deathsByEnding()) {
  describe(`The fate of a chunk whose worker ends (${ending})`, () => {
    for (const deathCase of cases) {
      it(deathCase.title, () => {
        expect(fateOf(factsOf(deathCase))).to.equal(deathCase.fate);
      });
    }
  });
}

describe('The fate of a chunk, whatever the facts', () => {
  it('is that it is over where nobody wants it, and only there', () => {
    forAll(
      () => true,
      (facts) => (fateOf(facts) === 'over') === !facts.isWanted,
    );
  });

  it('is that it is given out again where it was not begun', () => {
    forAll(
      ({ isWanted, isBegun }) => isWanted && !isBegun,
      (facts) => fateOf(facts) === 'return',
    );
  });

  it('is a retry only as often as the call allows', () => {
    forAll(
      ({ deaths, retries }) => deaths >= retries,
      (facts) => fateOf(facts) !== 'retry',
    );
  });

  it('is another start without a retry only once, if the worker was not killed by us', () => {
    forAll(
      ({ isBegun, wasKilled, deaths }) => isBegun && !wasKilled && deaths > 0,
      (facts) => !['return', 'start again'].includes(fateOf(facts)),
    );
  });

  it('is never another start for what has moved, or has yielded, once it was begun', () => {
    forAll(
      ({ isBegun, claimed, moved, yielded, stage }) =>
        isBegun && (moved || (yielded && claimed !== 0 && stage === 'tasks')),
      (facts) => !isStartedAgain(facts),
    );
  });

  it('names the init function where that ran, and loading where modules were imported', () => {
    forAll(
      ({ stage }) => stage !== 'init',
      (facts) => fateOf(facts) !== 'fail init',
    );
    forAll(
      ({ stage, importsModules }) => stage !== 'loading' || !importsModules,
      (facts) => fateOf(facts) !== 'fail loading',
    );
  });
});
