// A small image registry (the distribution protocol, read only) for tests of pulling: a real engine pulls from it, and
// the test says how slow it is and sees what was asked. The engine must run on this machine.

import { createHash, randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pack } from 'tar-stream';

export interface Registry {
  /** Host and port, the first part of an image's name. */
  readonly host: string;
  /** Methods and paths that were asked for. */
  readonly asked: string[];
  /** Paths of layers that were asked for. */
  readonly layersAsked: string[];
  /** Layers are held back until the promise resolves. */
  holdLayers(until: Promise<void>): void;
  /** The next so many layers break off in the middle, and the connection with them. */
  cutLayers(times: number): void;
  /** Every call fails with 500. */
  setBroken(broken: boolean): void;
  /** Puts other content under all names. */
  renew(): void;
  close(): Promise<void>;
}

const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';

const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

interface Image {
  readonly manifest: Buffer;
  readonly layerDigest: string;
}

/** Serves an image of its own under every name that does not contain `missing`. */
export async function startRegistry(): Promise<Registry> {
  const images = new Map<string, Image>();
  const blobs = new Map<string, Buffer>();
  const asked: string[] = [];
  const layersAsked: string[] = [];
  let held: Promise<void> = Promise.resolve();
  let isBroken = false;
  let cuts = 0;

  const make = async (): Promise<Image> => {
    // Content that the engine cannot have already.
    const layer = await layerOf(randomBytes(64 * 1024));
    const layerDigest = digestOf(layer);
    const config = Buffer.from(
      JSON.stringify({
        architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
        os: 'linux',
        config: { Cmd: ['/program'] },
        rootfs: { type: 'layers', diff_ids: [layerDigest] },
        history: [{ created_by: 'test' }],
      }),
    );
    blobs.set(layerDigest, layer);
    blobs.set(digestOf(config), config);
    const part = (mediaType: string, bytes: Buffer) => ({
      mediaType,
      size: bytes.length,
      digest: digestOf(bytes),
    });
    const manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: part('application/vnd.docker.container.image.v1+json', config),
      layers: [part('application/vnd.docker.image.rootfs.diff.tar', layer)],
    };
    return { manifest: Buffer.from(JSON.stringify(manifest)), layerDigest };
  };
  const imageAt = async (path: string): Promise<Image> => {
    const name = path.replace(/\/manifests\/.*$/, '');
    const image = images.get(name) ?? (await make());
    images.set(name, image);
    return image;
  };

  const send = (reply: ServerResponse, bytes: Buffer, type: string, isHead: boolean) => {
    reply.writeHead(200, {
      'content-type': type,
      'content-length': bytes.length,
      'docker-content-digest': digestOf(bytes),
    });
    reply.end(isHead ? undefined : bytes);
  };
  const refuse = (reply: ServerResponse, status: number, code: string) => {
    reply.writeHead(status, { 'content-type': 'application/json' });
    reply.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }));
  };

  const server = createServer(async (request, reply) => {
    const path = request.url ?? '';
    asked.push(`${request.method} ${path}`);
    const isHead = request.method === 'HEAD';
    reply.setHeader('docker-distribution-api-version', 'registry/2.0');
    if (isBroken) return refuse(reply, 500, 'UNKNOWN');
    if (path === '/v2/') return send(reply, Buffer.from('{}'), 'application/json', isHead);
    if (path.includes('missing')) return refuse(reply, 404, 'MANIFEST_UNKNOWN');
    if (path.includes('/manifests/'))
      return send(reply, (await imageAt(path)).manifest, MANIFEST_TYPE, isHead);
    const digest = path.split('/').pop() ?? '';
    const blob = blobs.get(digest);
    if (!blob) return refuse(reply, 404, 'BLOB_UNKNOWN');
    if ([...images.values()].some(({ layerDigest }) => layerDigest === digest)) {
      layersAsked.push(path);
      await held;
      if (cuts > 0) {
        cuts -= 1;
        reply.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': blob.length });
        reply.write(blob.subarray(0, blob.length / 2), () => request.socket.destroy());
        return;
      }
    }
    send(reply, blob, 'application/octet-stream', isHead);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    layersAsked,
    holdLayers(until) {
      held = until;
    },
    cutLayers(times) {
      cuts = times;
    },
    setBroken(broken) {
      isBroken = broken;
    },
    renew: () => images.clear(),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function layerOf(content: Buffer): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: 'program', mode: 0o755 }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
