// Settings that list addresses and networks of either family: `10.0.0.0/8,192.168.1.10,fd00::/8`. Resolves no names.

import { isIP } from 'node:net';
import Joi from 'joi';
import { splitList } from './reading.ts';

export interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

const MOST = 256;

/** Null for what is neither an address nor a network. */
export function readNetwork(entry: string): Network | null {
  const [, address = '', digits] = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i.exec(entry) ?? [];
  const version = isIP(address);
  if (version === 0) return null;
  const whole = version === 6 ? 128 : 32;
  const bits = Number(digits ?? whole);
  return bits > whole ? null : { address, bits, family: version === 6 ? 'ipv6' : 'ipv4' };
}

/** For those that are believed what they say of others. */
export const trustedNetworks = Joi.string()
  .custom((text: string, { error }: Joi.CustomHelpers) => {
    const entries = splitList(text);
    if (entries.length > MOST) return error('networks.many');
    const wrong = entries.find((entry) => readNetwork(entry) === null);
    if (wrong !== undefined) return error('networks.form', { entry: wrong });
    const all = entries.find((entry) => readNetwork(entry)?.bits === 0);
    return all === undefined ? text : error('networks.all', { entry: all });
  })
  .allow('')
  .default('')
  .messages({
    'networks.form':
      'must be addresses or networks, separated by commas, such as "10.0.0.5,192.168.0.0/16,fd00::/8"; "{{#entry}}" is none',
    'networks.all': 'must not name every address, as "{{#entry}}" does: anybody could claim to be anybody',
    'networks.many': `must not have more than ${MOST} entries`,
  });
