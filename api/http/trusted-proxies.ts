// From where a request came: the other end of its connection, or, when that is a proxy that TRUSTED_PROXIES names, whoever
// that proxy and those behind it say they speak for. Believes nobody else. Pure.

import { BlockList, isIP } from 'node:net';
import { readNetwork } from '../../shared/platform/config/networks.ts';

/** An address as proxies write it: alone or with a port, of IPv6 also in brackets. */
const HOP = /^(?:\[([0-9a-f:.]+)\](?::\d{1,5})?|(\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?|([0-9a-f:.]+))$/i;
/** Nobody is behind more. */
const MOST_HOPS = 32;

export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #isEmpty: boolean;

  /** @param entries addresses and networks as TRUSTED_PROXIES has them, checked */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const network = readNetwork(entry);
      if (network) this.#list.addSubnet(network.address, network.bits, network.family);
    }
    this.#isEmpty = entries.length === 0;
  }

  /**
   * The client's address: of those that were written down on the way, from the last to the first, the first that is no
   * trusted proxy. What stands before that one its sender may have made up.
   * @param peer at the other end of the connection
   * @param forwarded `X-Forwarded-For`, several joined by commas
   */
  addressOf(peer: string, forwarded: string | undefined): string {
    if (forwarded === undefined || !this.#trusts(peer)) return peer;
    let address = peer;
    for (const hop of forwarded.split(',').slice(-MOST_HOPS).reverse()) {
      const [, bracketed, v4, bare] = HOP.exec(hop.trim()) ?? [];
      const found = bracketed ?? v4 ?? bare ?? '';
      // No address: what a proxy did not know, or nothing that a proxy wrote.
      if (isIP(found) === 0) return address;
      address = found;
      if (!this.#trusts(address)) return address;
    }
    return address;
  }

  /** Whether a trusted proxy says that it was asked over TLS. @param proto `X-Forwarded-Proto` */
  saysHttps(peer: string, proto: string | undefined): boolean {
    return proto?.split(',').at(-1)?.trim().toLowerCase() === 'https' && this.#trusts(peer);
  }

  #trusts(address: string): boolean {
    if (this.#isEmpty) return false;
    const [plain = ''] = address.split('%', 1);
    const version = isIP(plain);
    return version !== 0 && this.#list.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  }
}
