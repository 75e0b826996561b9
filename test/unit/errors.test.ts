import { expect } from 'chai';
import { inspect, types } from 'node:util';
import {
  BufferOverflowError,
  NestedPoolError,
  PoolTerminatedError,
  StartMethodUnavailableError,
  UnportableFunctionError,
  UnserializableError,
  WorkerDiedError,
  WorkerPoolError,
  WorkerStartError,
  WorkerTimeoutError,
  errorClasses,
} from '../../src/errors.js';

const cause = Object.assign(new Error('no such file'), { code: 'ENOENT' });
const died = { workerId: 2, exitCode: 1, signal: null, indexes: [4, 5] } as const;

/** What a loop over a value sees. */
const propertiesOf = (value: unknown): object => Object.fromEntries(Object.entries(value as object));

/** One of each, with its fields. */
const samples: [name: string, error: WorkerPoolError, fields: object][] = [
  ['WorkerPoolError', new WorkerPoolError({ message: 'something went wrong' }), {}],
  [
    'WorkerTimeoutError',
    new WorkerTimeoutError({ stage: 'task', timeout: 250, workerId: 1, index: 7 }),
    { stage: 'task', timeout: 250, workerId: 1, index: 7 },
  ],
  ['WorkerDiedError', new WorkerDiedError(died), died],
  ['WorkerStartError', new WorkerStartError({ workerId: 3, cause }), { workerId: 3 }],
  [
    'UnserializableError',
    new UnserializableError({ path: 'value.user.socket', index: 9, direction: 'input', kind: 'Socket' }),
    { path: 'value.user.socket', index: 9, direction: 'input', kind: 'Socket' },
  ],
  [
    'UnportableFunctionError',
    new UnportableFunctionError({ functionName: 'resize', variable: 'salt', location: 'src/images.ts:3:10' }),
    { functionName: 'resize', variable: 'salt', location: 'src/images.ts:3:10' },
  ],
  ['BufferOverflowError', new BufferOverflowError({ bufferSize: 100 }), { bufferSize: 100 }],
  ['NestedPoolError', new NestedPoolError(), {}],
  ['PoolTerminatedError', new PoolTerminatedError(), {}],
  [
    'StartMethodUnavailableError',
    new StartMethodUnavailableError({ startMethod: 'fork', reason: 'fork needs Linux, this is Windows' }),
    { startMethod: 'fork', reason: 'fork needs Linux, this is Windows' },
  ],
];

describe('errors', () => {
  it('there is a sample of each class here', () => {
    expect(samples.map(([name]) => name)).to.have.members(Object.keys(errorClasses));
  });

  for (const [name, error, fields] of samples) {
    describe(name, () => {
      it('is a WorkerPoolError, an Error and of its own class', () => {
        expect(error).to.be.instanceOf(errorClasses[name] as never);
        expect(error).to.be.instanceOf(WorkerPoolError);
        expect(error).to.be.instanceOf(Error);
        expect(types.isNativeError(error)).to.equal(true);
      });

      it('has its name, also in its stack, without showing it as a property', () => {
        expect(error.name).to.equal(name);
        expect(error.constructor.name).to.equal(name);
        expect(error.stack).to.match(new RegExp(`^${name}: `));
        expect(Object.keys(error)).not.to.include('name');
        expect(inspect(error)).not.to.include('name:');
      });

      it('has its fields, and nothing else, as properties', () => {
        expect(propertiesOf(error)).to.deep.equal(fields);
      });

      it('says its fields in its message', () => {
        for (const value of Object.values(fields).flat()) {
          if (value !== null) expect(error.message).to.include(value === 'input' ? 'to a worker' : String(value));
        }
        expect(error.message).to.match(name === 'WorkerPoolError' ? /wrong$/ : /^[A-Z].*\.$/);
        expect(error.message).not.to.match(/undefined|null|\[object/);
      });

      it('is recognised by another copy of the package', () => {
        expect((error as never)[Symbol.for('rxjs-parallel-map.error')]).to.equal(name);
      });
    });
  }

  it('a cause that is not given leaves no property', () => {
    expect(new WorkerDiedError(died)).not.to.have.property('cause');
    expect(new WorkerDiedError({ ...died, cause: undefined })).not.to.have.property('cause');
  });

  it('a cause does not show up in a loop, as with every error', () => {
    const error = new WorkerStartError({ workerId: 0, cause });
    expect(error.cause).to.equal(cause);
    expect(Object.keys(error)).to.deep.equal(['workerId']);
  });

  it('a class that extends one of them is recognised as that one', () => {
    class MyError extends BufferOverflowError {}
    expect((new MyError({ bufferSize: 1 }) as never)[Symbol.for('rxjs-parallel-map.error')]).to.equal(
      'BufferOverflowError',
    );
  });

  describe('WorkerTimeoutError', () => {
    it('names the option of each stage', () => {
      const messageOf = (stage: 'task' | 'init' | 'exit') =>
        new WorkerTimeoutError({ stage, timeout: 10, workerId: 0 }).message;
      expect(messageOf('task')).to.include('The task').and.to.include('10 ms');
      expect(messageOf('init')).to.include('init function').and.to.include('10 ms');
      expect(messageOf('exit')).to.include('has not ended within 10 ms');
    });

    it('has no index where no task was running', () => {
      expect(new WorkerTimeoutError({ stage: 'init', timeout: 10, workerId: 0 })).not.to.have.property('index');
    });
  });

  describe('WorkerDiedError', () => {
    const messageOf = (fields: object) => new WorkerDiedError({ ...died, ...fields }).message;

    it('says the exit code or the signal, never one that there is not', () => {
      expect(messageOf({})).to.include('exit code 1').and.not.include('signal');
      expect(messageOf({ exitCode: null, signal: 'SIGSEGV' }))
        .to.include('signal SIGSEGV')
        .and.not.include('exit code');
      expect(messageOf({ exitCode: null, signal: null })).not.to.match(/exit code|signal|null/);
    });

    it('says what to do', () => {
      expect(messageOf({})).to.include('workerDeathRetries');
      expect(messageOf({ indexes: [] })).not.to.include('workerDeathRetries');
    });

    it('says the cause', () => {
      expect(messageOf({ cause: new TypeError('x is not a function') })).to.include('TypeError: x is not a function');
      expect(messageOf({ cause: 'just a text' })).to.include('just a text');
      expect(messageOf({ cause: Object.create(null) })).to.include('cannot be shown');
    });

    it('speaks of memory where it ran out of it', () => {
      expect(messageOf({ cause: Object.assign(new Error('limit'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }) })).to.include(
        'memory',
      );
      expect(messageOf({ exitCode: null, signal: 'SIGABRT' })).to.include('memory');
      expect(messageOf({ exitCode: 134 })).to.include('memory');
      expect(messageOf({ exitCode: null, signal: 'SIGKILL' })).to.include('memory');
      expect(messageOf({})).not.to.include('memory');
    });

    it('names the first of very many indexes, and has all of them', () => {
      const error = new WorkerDiedError({ ...died, indexes: Array.from({ length: 5000 }, (_, i) => i) });
      expect(error.indexes).to.have.length(5000);
      expect(error.message).to.include('4980 more');
      expect(error.message.length).to.be.below(500);
    });
  });

  describe('UnserializableError', () => {
    it('says on which way it was', () => {
      const messageOf = (direction: 'input' | 'result') =>
        new UnserializableError({ path: 'value', direction }).message;
      expect(messageOf('input')).to.include('to a worker');
      expect(messageOf('result')).to.include('back from the worker');
    });
  });

  describe('UnportableFunctionError', () => {
    it('names the variable and every way out', () => {
      expect(new UnportableFunctionError({ functionName: 'resize', variable: 'salt' }).message)
        .to.include('The function "resize" captures "salt", which cannot travel to a worker')
        .and.include('const salt = perWorker(() => …)')
        .and.include('workerInit: ({ state }) => { state.salt = … }')
        .and.include('captures: { salt: … }')
        .and.include("moduleTask(new URL('./task.js', import.meta.url), 'name')");
      expect(new UnportableFunctionError({ functionName: 'resize', variable: 'this' }).message).to.include(
        'captures: { this: this }',
      );
    });

    it('says why a function has nothing to send', () => {
      const error = new UnportableFunctionError({ functionName: 'bound resize', reason: 'it is a bound function' });
      expect(error.message).to.include('"bound resize" cannot travel to a worker: it is a bound function.');
    });

    it('knows that a function may have no name', () => {
      expect(new UnportableFunctionError({ functionName: '', variable: 'salt' }).message).to.match(
        /^An anonymous function captures/,
      );
    });
  });

  it('StartMethodUnavailableError does not propose what it refuses', () => {
    const error = new StartMethodUnavailableError({
      startMethod: 'spawn',
      reason: 'there are no processes in a browser',
    });
    expect(error.message).to.include("Use 'threading' instead");
  });
});
