// Tells which package a paragraph is about: each worker makes the language model once, when it starts.
//
// The model is a naive Bayes classifier of words. It learns from the READMEs of some installed packages, but for every fifth
// paragraph; those are what it is asked about. Making it takes much longer than using it, and it is much larger than a
// paragraph. So `workerInit` makes it in each worker and keeps it in `context.state`.

import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { concatMap, from, lastValueFrom, toArray } from 'rxjs';
import { parallelMap } from 'rxjs-parallel-map';

const packages = ['acorn', 'eslint-scope', 'fast-check', 'oxlint-tsgolint', 'piscina', 'tinybench', 'workerpool'];

async function paragraphsOf(name) {
  const readme = await readFile(new URL(`../../node_modules/${name}/README.md`, import.meta.url), 'utf8');
  return readme.split(/\n\s*\n/).filter((paragraph) => wordsOf(paragraph).length >= 8);
}

const wordsOf = (text) => text.toLowerCase().match(/\p{Letter}{2,}/gu) ?? [];
const isQuestion = (_, i) => i % 5 === 4;

/** How often each package uses each word. */
async function learn() {
  const model = { vocabulary: new Set(), packages: [] };
  for (const name of packages) {
    const learned = (await paragraphsOf(name)).filter((_, i) => !isQuestion(_, i));
    const counts = new Map();
    let total = 0;
    for (const word of learned.flatMap(wordsOf)) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
      model.vocabulary.add(word);
      total++;
    }
    model.packages.push({ name, counts, total });
  }
  return model;
}

/** The package whose words explain a text best. */
function classify(model, text) {
  const words = wordsOf(text);
  let best = { name: undefined, likelihood: -Infinity };
  for (const { name, counts, total } of model.packages) {
    let likelihood = 0;
    for (const word of words) {
      likelihood += Math.log(((counts.get(word) ?? 0) + 0.1) / (total + 0.1 * model.vocabulary.size));
    }
    if (likelihood > best.likelihood) best = { name, likelihood };
  }
  return best.name;
}

const result$ = from(packages).pipe(
  concatMap(async (name) => (await paragraphsOf(name)).filter(isQuestion).map((text) => ({ name, text }))),
  concatMap((questions) => questions),
  parallelMap(
    ({ name, text }, { state }) => {
      state.answers++;
      return { name, answer: classify(state.model, text) };
    },
    {
      nJobs: Math.min(4, availableParallelism()),
      workerInit: async ({ state }) => {
        state.model = await learn();
        state.answers = 0;
      },
      workerExit: ({ state, workerId }) => ({ workerId, size: state.model.vocabulary.size, answers: state.answers }),
      onExitResults: (workers) => {
        for (const { workerId, size, answers } of workers) {
          console.log(`Worker ${workerId} has learned ${size} words once, and answered ${answers} questions.`);
        }
      },
    },
  ),
  toArray(),
);

const results = await lastValueFrom(result$);
const isRight = ({ name, answer }) => name === answer;
for (const name of packages) {
  const asked = results.filter((result) => result.name === name);
  console.log(`${name.padEnd(16)} ${asked.filter(isRight).length} of ${asked.length}`);
}
const right = results.filter(isRight).length;
console.log(`${right} of ${results.length} paragraphs are told right: ${Math.round((100 * right) / results.length)}%.`);
