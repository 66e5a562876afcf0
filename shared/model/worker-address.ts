// Where a daemon listens that waits to be adopted: `host:port`, as an admin writes it. Pure; looks up no names.

export interface WorkerAddress {
  /** Lower case; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

export type ReadAddress =
  | { readonly ok: true; readonly address: WorkerAddress }
  /** Goes on after the name of the field: `"address" must …`. */
  | { readonly ok: false; readonly fault: string };

const EXAMPLES = 'for example 192.168.1.102:50052, worker-3.example:50052 or [fd00::3]:50052';
const DIGITS_AND_DOTS = /^[\d.]+$/;
/** RFC 1123, with `_`, which names of containers have. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

export function readWorkerAddress(text: string, defaultPort: number): ReadAddress {
  const bad = (fault: string): ReadAddress => ({ ok: false, fault });
  const given = text.trim().toLowerCase();
  if (given.includes('/')) return bad(`must be a host and a port without "http://" or a path, ${EXAMPLES}`);
  const parts = /^(?:\[(?<v6>[^\]]*)\]|(?<name>[^:[\]]*))(?::(?<port>[^:]*))?$/.exec(given)?.groups;
  if (!parts) {
    const why = canonical(`[${given}]`)
      ? 'must have its IPv6 address in brackets'
      : 'must be a host and a port';
    return bad(`${why}, ${EXAMPLES}`);
  }
  const { v6, name = '', port: digits } = parts;
  const port = digits === undefined ? defaultPort : /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65_535) return bad(`has the port "${digits}": it must be a number from 1 to 65535`);
  const label = name.replace(/\.$/, '');
  const host = v6 === undefined ? canonical(label) : canonical(`[${v6}]`);
  if (v6 !== undefined && host === null) return bad(`has no IPv6 address in its brackets, ${EXAMPLES}`);
  if (name === '' && v6 === undefined) return bad(`must name a host, ${EXAMPLES}`);
  // What a URL would make of "10.1" or "010.0.0.1" is hardly what was meant.
  if (DIGITS_AND_DOTS.test(name) && host !== name)
    return bad(`has "${name}", which is no IPv4 address, ${EXAMPLES}`);
  if (host === null || (v6 === undefined && !HOST_NAME.test(label))) {
    return bad(`has "${name}", which is no host name, ${EXAMPLES}`);
  }
  if (host === '::' || host.startsWith('0.')) return bad(`must name one machine, and ${host} names none`);
  return { ok: true, address: { host, port } };
}

export function addressText({ host, port }: WorkerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The host leads every machine to itself. Brackets around an IPv6 address may be left out. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '');
  const known = canonical(bare.includes(':') ? `[${bare}]` : bare) ?? bare;
  // RFC 6761: these names are loopback everywhere.
  if (known === 'localhost' || known.endsWith('.localhost')) return true;
  // Connecting to an unspecified address reaches the machine itself. `::ffff:7f00:0/104` is 127.0.0.0/8 in IPv6.
  return (
    known === '::' ||
    known === '::1' ||
    /^(?:127|0)\.\d+\.\d+\.\d+$/.test(known) ||
    /^::ffff:7f[0-9a-f]{2}:/.test(known)
  );
}

/** The one spelling of a host, without brackets; null when it is none. */
function canonical(host: string): string | null {
  return URL.canParse(`http://${host}/`) ? new URL(`http://${host}/`).hostname.replace(/^\[|\]$/g, '') : null;
}
