// The end of a worker process: its channel and its exit come in any order, and nothing that it has said is lost.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { encodeFrame } from '../../src/internal/protocol/frames.js';
import { ToWorker } from '../../src/internal/protocol/messages.js';
import { ProcessLink } from '../../src/internal/start/process/ProcessLink.js';
import type { WorkerEnd } from '../../src/StartMethod.js';

describe('ProcessLink', () => {
  let server: Server | undefined;
  let worker: ChildProcess | undefined;
  let channel: Socket;
  let messages: unknown[];
  let killed: Promise<void>;
  let ended: Promise<WorkerEnd>;
  let link: ProcessLink;

  before(function () {
    if (process.platform !== 'linux') this.skip(); // it needs /proc, and sockets without a file
  });

  /** Starts a process that connects, and runs this code then. */
  async function start(code: string): Promise<void> {
    const address = `\0process-link-${process.pid}-${Math.random()}`;
    server = createServer().listen(address);
    worker = spawn(process.execPath, [
      '-e',
      `const channel = require('node:net').connect(${JSON.stringify(address)}, () => { ${code} }); channel.on('error', () => undefined);`,
    ]);
    [channel] = (await once(server, 'connection')) as [Socket];
    messages = [];
    let kill: () => void = () => undefined;
    killed = new Promise((resolve) => {
      kill = resolve;
    });
    ended = new Promise((resolve) => {
      const events = { ready() {}, message: (message: unknown) => void messages.push(message), exit: resolve };
      link = new ProcessLink(events as never, { kill: () => kill() });
    });
    link.attach(channel);
  }

  afterEach(() => {
    worker?.kill('SIGKILL');
    server?.close();
  });

  it('hears what a worker has said before its end, also when more was sent to it', async () => {
    const frame = encodeFrame(['said']).toString('base64');
    await start(`channel.once('data', () => {
      channel.write(Buffer.from('${frame}', 'base64'), () => process.exit(0));
    });`);
    channel.write('go');
    // Nothing is read meanwhile, so that the next thing that is seen of the channel is that a write fails.
    const proc = `/proc/${worker?.pid}`;
    while (!/\) Z /.test(readFileSync(`${proc}/stat`, 'utf8')) || readdirSync(`${proc}/task`).length > 1);
    link.send([ToWorker.Forget, 1] as never);
    link.send([ToWorker.Forget, 2] as never);
    link.exited(0, null);
    expect(await ended).to.deep.equal({ exitCode: 0, signal: null, error: undefined });
    expect(messages).to.deep.equal([['said']]);
  });

  it('does not wait for ever for a channel that something else holds open', async () => {
    await start('');
    link.exited(7, null);
    expect(await ended).to.deep.equal({ exitCode: 7, signal: null, error: undefined });
    await once(channel, 'close');
  });

  it('kills a worker that has closed its channel, and does not leave', async () => {
    await start('channel.destroy(); setInterval(() => undefined, 1000);');
    await killed;
    link.exited(null, 'SIGKILL');
    expect((await ended).signal).to.equal('SIGKILL');
  });
});
