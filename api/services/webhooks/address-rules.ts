// Which addresses a webhook may reach: never this machine itself, its link or a group of machines, unless
// WEBHOOK_ALLOW lets it. Private networks are open, for that is where receivers mostly live. Resolves no names.

import { BlockList, isIP } from 'node:net';
import { AppError } from '../../../shared/errors.ts';

type Family = 'ipv4' | 'ipv6';

/**
 * Kinds of address that are refused. BlockList also finds IPv4 networks in IPv4-mapped IPv6 addresses; the same
 * networks behind a NAT64 gateway (`64:ff9b::/96`, RFC 6052) are listed by hand.
 */
const FORBIDDEN: readonly { kind: string; networks: readonly [string, number, Family][] }[] = [
  {
    kind: 'a loopback address',
    networks: [
      ['127.0.0.0', 8, 'ipv4'],
      ['::1', 128, 'ipv6'],
      ['64:ff9b::7f00:0', 104, 'ipv6'],
    ],
  },
  {
    // On Linux, connecting to 0.0.0.0 reaches this machine. `::/96` also holds the old IPv4-compatible form.
    kind: 'an unspecified address',
    networks: [
      ['0.0.0.0', 8, 'ipv4'],
      ['::', 96, 'ipv6'],
      ['64:ff9b::', 104, 'ipv6'],
    ],
  },
  {
    // Metadata services of clouds are here.
    kind: 'a link-local address',
    networks: [
      ['169.254.0.0', 16, 'ipv4'],
      ['fe80::', 10, 'ipv6'],
      ['64:ff9b::a9fe:0', 112, 'ipv6'],
    ],
  },
  {
    kind: 'a multicast or broadcast address',
    networks: [
      ['224.0.0.0', 4, 'ipv4'],
      ['255.255.255.255', 32, 'ipv4'],
      ['ff00::', 8, 'ipv6'],
    ],
  },
];

/** Dots between labels of letters, digits, `-` and `_`; the last one has a letter, else it were a broken address. */
const HOST_NAME = /^(?:[a-z0-9_-]{1,63}\.)*(?=[a-z0-9_-]*[a-z])[a-z0-9_-]{1,63}$/;
const WITH_PORT = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<host>[^:[\]/]+))(?::(?<port>\d{1,5}))?$/;
const NETWORK = /^(?<address>[0-9a-f:.]+)\/(?<bits>\d{1,3})$/;

interface Allowed {
  /** Lower case; null when this entry is of addresses. */
  readonly name: string | null;
  readonly addresses: BlockList;
  /** Null: every port. */
  readonly port: number | null;
}

export class AddressRules {
  readonly #allowed: readonly Allowed[];
  readonly #forbidden = FORBIDDEN.map(({ kind, networks }) => {
    const list = new BlockList();
    for (const network of networks) list.addSubnet(...network);
    return { kind, list };
  });

  /**
   * @param allow entries of WEBHOOK_ALLOW: `name`, `name:port`, `address`, `address:port`, `[address]:port`, `address/bits`
   * @throws AppError `bad_config` naming every entry that is none of these
   */
  constructor(allow: readonly string[]) {
    const wrong: string[] = [];
    this.#allowed = allow.flatMap((entry) => {
      const one = readEntry(entry.toLowerCase());
      if (!one) wrong.push(entry);
      return one ?? [];
    });
    if (wrong.length === 0) return;
    const message =
      `has entries that are no host name, address or network: ${wrong.join(', ')}; ` +
      'write them like receiver.example:9000, 127.0.0.1 or 10.0.0.0/8';
    throw new AppError('bad_config', `wrong settings:\n  WEBHOOK_ALLOW ${message}`, {
      details: [{ field: 'WEBHOOK_ALLOW', message }],
    });
  }

  /** Why an address must not be called for this url, in words; null when it may be. */
  refusalOfAddress(url: URL, address: string): string | null {
    const version = isIP(address);
    if (version === 0) return `${address} is not an address`;
    const family: Family = version === 6 ? 'ipv6' : 'ipv4';
    const found = this.#forbidden.find(({ list }) => list.check(address, family));
    if (!found) return null;
    const port = portOf(url);
    const host = hostOf(url);
    const allowed = this.#allowed.some(
      (entry) =>
        (entry.port === null || entry.port === port) &&
        (entry.name === host || entry.addresses.check(address, family)),
    );
    if (allowed) return null;
    const what = isIP(host) === 0 ? `${host} leads to ${address}` : address;
    return `${what}, ${found.kind}; WEBHOOK_ALLOW does not let it`;
  }

  /** What can be said without asking for the address of a name; null when there is nothing against it so far. */
  refusalOfUrl(url: URL): string | null {
    const host = hostOf(url);
    if (isIP(host) !== 0) return this.refusalOfAddress(url, host);
    // RFC 6761: these names are loopback everywhere.
    if (host !== 'localhost' && !host.endsWith('.localhost')) return null;
    const v4 = this.refusalOfAddress(url, '127.0.0.1');
    return v4 === null || this.refusalOfAddress(url, '::1') === null ? null : v4;
  }
}

/** Name or address without brackets and without the dot that may end a name. URL has made it lower case. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$|\.$/g, '');
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

function readEntry(entry: string): Allowed | null {
  const addresses = new BlockList();
  const network = NETWORK.exec(entry)?.groups;
  if (network) {
    const { address = '', bits = '' } = network;
    const version = isIP(address);
    if (version === 0 || Number(bits) > (version === 6 ? 128 : 32)) return null;
    addresses.addSubnet(address, Number(bits), version === 6 ? 'ipv6' : 'ipv4');
    return { name: null, addresses, port: null };
  }
  if (isIP(entry) === 6) {
    addresses.addAddress(entry, 'ipv6');
    return { name: null, addresses, port: null };
  }
  const parts = WITH_PORT.exec(entry)?.groups;
  if (!parts) return null;
  const { v6, host = '', port: digits } = parts;
  const port = digits === undefined ? null : Number(digits);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  const version = isIP(v6 ?? host);
  if (version !== 0) {
    addresses.addAddress(v6 ?? host, version === 6 ? 'ipv6' : 'ipv4');
    return { name: null, addresses, port };
  }
  return v6 === undefined && HOST_NAME.test(host) ? { name: host, addresses, port } : null;
}
