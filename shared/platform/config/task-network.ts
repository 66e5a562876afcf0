// Settings of what tasks may reach over the network, and which servers they must never reach because the cluster's own
// record and queue are there.

import { isIPv4 } from 'node:net';
import Joi from 'joi';
import { splitList, type Values } from './reading.ts';

const NETWORK_POLICIES = ['auto', 'required', 'off'] as const;

/** Addresses a rule is about, and one port of them or all. */
export interface NetworkRange {
  /** As iptables writes it: `10.0.0.0/8`. */
  readonly cidr: string;
  readonly port: number | null;
}

export interface NetworkServer {
  readonly host: string;
  readonly port: number;
  /** To be looked up under this service name first (`mongodb+srv`); null: the host is the server. */
  readonly service: string | null;
}

export interface TaskNetworkConfig {
  /** `auto`: guarded where this process can keep the rules. `required`: bridge tasks start nowhere else. */
  readonly policy: (typeof NETWORK_POLICIES)[number];
  readonly allow: readonly NetworkRange[];
  readonly block: readonly NetworkRange[];
  /** Redis and the store. */
  readonly servers: readonly NetworkServer[];
}

const MOST_RANGES = 256;
const ranges = Joi.string()
  .custom(checkRanges)
  .allow('')
  .default('')
  .messages({
    'range.form':
      'must be IPv4 addresses or networks, separated by commas, each with a port or without: "10.0.0.0/8,192.168.1.10:8080"; "{{#entry}}" is none',
    'range.many': `must not have more than ${MOST_RANGES} entries`,
  });

export const taskNetworkSettings = {
  TASK_NETWORK_POLICY: Joi.string()
    .valid(...NETWORK_POLICIES)
    .default('auto'),
  TASK_NETWORK_ALLOW: ranges,
  TASK_NETWORK_BLOCK: ranges,
};

export function taskNetworkConfig(
  v: Values,
  urls: { readonly redisUrl: string; readonly storeUrl: string },
): TaskNetworkConfig {
  const list = (text: string) => splitList(text).flatMap((entry) => readRange(entry) ?? []);
  return {
    policy: v.TASK_NETWORK_POLICY,
    allow: list(v.TASK_NETWORK_ALLOW),
    block: list(v.TASK_NETWORK_BLOCK),
    servers: [...serversOf(urls.redisUrl), ...serversOf(urls.storeUrl)],
  };
}

/** Null for what is neither an address nor a network. */
export function readRange(entry: string): NetworkRange | null {
  const [, address = '', bits, port] = /^([0-9.]{7,15})(?:\/(\d{1,2}))?(?::(\d{1,5}))?$/.exec(entry) ?? [];
  if (!isIPv4(address) || Number(bits ?? 32) > 32) return null;
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return null;
  return { cidr: `${address}/${Number(bits ?? 32)}`, port: port === undefined ? null : Number(port) };
}

function checkRanges(text: string, { error }: Joi.CustomHelpers): string | Joi.ErrorReport {
  const entries = splitList(text);
  if (entries.length > MOST_RANGES) return error('range.many');
  const entry = entries.find((one) => readRange(one) === null);
  return entry === undefined ? text : error('range.form', { entry });
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  redis: 6_379,
  rediss: 6_379,
  mongodb: 27_017,
  'mongodb+srv': 27_017,
};

/** Servers that a URL names, `mongodb://` with several among them; none for what is no server (`sqlite:`, `unix:`). */
export function serversOf(url: string): NetworkServer[] {
  const [, scheme = '', authority = ''] = /^([a-z+]+):\/\/([^/?#]*)/.exec(url) ?? [];
  const usual = DEFAULT_PORTS[scheme];
  if (usual === undefined) return [];
  const service = scheme === 'mongodb+srv' ? 'mongodb' : null;
  return authority
    .slice(authority.lastIndexOf('@') + 1)
    .split(',')
    .flatMap((one) => {
      const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d{1,5}))?$/.exec(one) ?? [];
      const host = bracketed ?? plain ?? '';
      return host === '' ? [] : [{ host, port: Number(port ?? usual), service }];
    });
}
