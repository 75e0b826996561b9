/** Channels of `node:diagnostics_channel`: by their names, those of the worker. */

import { createRequire } from 'node:module';
import type { Channel } from 'node:diagnostics_channel';
import type { Kind } from './Kind.js';

export interface ChannelNode {
  readonly type: 'channel';
  readonly name: string;
}

type Channels = typeof import('node:diagnostics_channel');

const channelsOfNode = (): Channels => createRequire(import.meta.url)('node:diagnostics_channel') as Channels;

export const channels: Kind<Channel, ChannelNode> = {
  matches: (value): value is Channel => {
    if (typeof value !== 'object' || value === null) return false;
    const name: unknown = Object.getOwnPropertyDescriptor(value, 'name')?.value;
    const isNamed = typeof name === 'string' && Object.hasOwn(value, '_subscribers');
    return (
      isNamed && value instanceof channelsOfNode().Channel && channelsOfNode().channel(name) === (value as Channel)
    );
  },
  write: ({ name }) => ({ type: 'channel', name: name as string }),
  read: { channel: ({ name }) => channelsOfNode().channel(name) },
};

export interface TracingChannelNode {
  readonly type: 'tracingChannel';
  readonly name: string;
}

const parts = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
type Tracing = Readonly<Record<(typeof parts)[number], { readonly name?: unknown } | undefined>>;

/** The name by which Node has made a tracing channel; `undefined` of one that was made of other channels. */
function nameOfTracing(value: object): string | undefined {
  const name = /^tracing:(.*):start$/s.exec(String((value as Tracing).start?.name))?.[1];
  return parts.every((part) => (value as Tracing)[part]?.name === `tracing:${name}:${part}`) ? name : undefined;
}

export const tracingChannels: Kind<object, TracingChannelNode> = {
  matches: (value): value is object => {
    if (typeof value !== 'object' || value === null) return false;
    const proto: unknown = Object.getPrototypeOf(value);
    if ((proto as { constructor?: Function } | null)?.constructor?.name !== 'TracingChannel') return false;
    const { tracingChannel } = channelsOfNode() as Partial<Channels>;
    const isOne = tracingChannel !== undefined && Object.getPrototypeOf(tracingChannel('')) === proto;
    return isOne && nameOfTracing(value) !== undefined;
  },
  write: (value) => ({ type: 'tracingChannel', name: nameOfTracing(value) as string }),
  read: { tracingChannel: ({ name }) => channelsOfNode().tracingChannel(name) },
};
