// The package in programs that test runners load: one project, run by each of them with the package installed.
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './support/runProgram.js';

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const folder = join(projectFolder, 'build/projects');
const bin = (name: string): string => join(projectFolder, 'node_modules/.bin', name);

/** Runs a command in the project. @returns What it prints. */
function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(bin(command), args, {
      cwd: join(folder, 'runners'),
      env: { ...process.env, NODE_OPTIONS: '', CI: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.once('error', reject);
    child.once('close', () => (output === '' ? reject(new Error(errors)) : resolve(output)));
  });
}

/** The tests that have failed, and how many have passed. */
function read(output: string): { readonly passed: number; readonly failed: string[] } {
  const start = output.indexOf('{"num');
  const report = JSON.parse(output.slice(start, output.lastIndexOf('}') + 1)) as Report;
  const failed = report.testResults.flatMap(({ assertionResults, message }) => [
    ...(assertionResults.length === 0 ? [message] : []),
    ...assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages.join('\n')}`),
  ]);
  return { passed: report.numPassedTests, failed };
}

describe('in a test runner', function () {
  this.timeout(120_000);

  before(() => {
    const installed = join(folder, 'node_modules/rxjs-parallel-map');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(installed, { recursive: true });
    cpSync(join(projectFolder, 'test/projects/runners'), join(folder, 'runners'), { recursive: true });
    cpSync(join(projectFolder, 'dist'), join(installed, 'dist'), { recursive: true });
    cpSync(join(projectFolder, 'package.json'), join(installed, 'package.json'));
  });

  it('Jest', async () => {
    const { passed, failed } = read(await run('jest', ['-i', '--json']));
    expect(failed).to.deep.equal([]);
    expect(passed).to.be.greaterThan(15);
  });

  it('Vitest, in threads', async () => {
    const { passed, failed } = read(await run('vitest', ['run', '--pool', 'threads', '--reporter', 'json']));
    expect(failed).to.deep.equal([]);
    expect(passed).to.be.greaterThan(15);
  });
});
