// What ships CloudAI names things that the code and other files own: roles, settings, paths that are asked, secrets, ports.
// Checked here without a cluster: compose, the proxy, the image.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { shutdownConfig, stopDeadlineOf } from '../../shared/platform/shutdown.ts';
import { isRole, loadAs, ROLES, type Role, SETTINGS, temporaryFolder } from '../support/shipped-settings.ts';
import { filled, makeSecrets, read, root, type Yaml } from '../support/shipping.ts';

describe('infra/compose.yaml', () => {
  const compose: Yaml = parse(read('infra/compose.yaml'), { merge: true });
  const services = Object.entries<Yaml>(compose.services);
  const own = services.filter(([, { command }]) => Array.isArray(command) && isRole(command[0]));

  it('has two APIs, two schedulers, a runner, and what they need', () => {
    const count = (role: Role) => own.filter(([, { command }]) => command[0] === role).length;
    expect(ROLES.map(count)).toEqual([2, 2, 1]);
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(['proxy', 'redis', 'mongo']));
  });

  it.each(own)('gives %s settings that it takes, and time to stop', (_, service) => {
    const role = service.command[0] as Role;
    const unknown = Object.keys(service.environment).filter((name) => !SETTINGS.has(name));
    expect(unknown).toEqual([]);
    expect(() => loadAs(role, service.environment)).not.toThrow();
    const grace = /(\d+)s\}?$/.exec(service.stop_grace_period)?.[1];
    expect(Number(grace) * 1_000).toBeGreaterThan(stopDeadlineOf(shutdownConfig('leave', 300, 10)));
    const given = Object.values<string>(service.environment).flatMap(
      (value) => /^\/run\/secrets\/(.+)/.exec(value)?.[1] ?? [],
    );
    expect([...service.secrets].sort()).toEqual(given.sort());
  });

  it.each(services)('names for %s only what is there, and starts it again', (_, service) => {
    for (const secret of service.secrets ?? []) expect(compose.secrets).toHaveProperty([secret]);
    for (const other of Object.keys(service.depends_on ?? {}).filter((name) => !/^\d+$/.test(name))) {
      expect(compose.services[other]?.healthcheck).toBeDefined();
    }
    for (const volume of service.volumes ?? []) {
      const [from = ''] = filled(volume).split(':');
      if (from.startsWith('./')) expect(existsSync(join(root, 'infra', from))).toBe(true);
      else if (!from.startsWith('/')) expect(compose.volumes).toHaveProperty([from]);
    }
    const networks = Array.isArray(service.networks) ? service.networks : Object.keys(service.networks ?? {});
    for (const network of networks) expect(compose.networks).toHaveProperty([network]);
    expect([networks.length, service.network_mode]).toEqual(
      networks.length > 0 ? [1, undefined] : [0, 'host'],
    );
    expect(service.restart).toBe('unless-stopped');
  });

  it('has each secret made, and the URLs with the passwords of the servers', () => {
    const folder = temporaryFolder();
    makeSecrets(folder);
    expect(readdirSync(folder).sort()).toEqual(Object.keys(compose.secrets).sort());
    const text = (name: string) => readFileSync(join(folder, name), 'utf8').trim();
    const before = text('store-url');
    makeSecrets(folder);
    expect(text('store-url')).toBe(before);
    expect(new URL(text('redis-url'))).toMatchObject({ password: text('redis-password'), hostname: 'redis' });
    expect(new URL(before)).toMatchObject({ password: text('mongo-password'), hostname: 'mongo' });
    expect(compose.services.mongo.environment.MONGO_INITDB_ROOT_USERNAME).toBe(new URL(before).username);
  });

  it('has a proxy that leads to every API, by what tells that it is ready', () => {
    const proxy = read('infra/proxy/haproxy.cfg');
    const servers = [...proxy.matchAll(/^ {2}server (\S+) (\S+):(\d+) cookie (\S+)$/gm)];
    const apis = own.flatMap(([name, { command }]) => (command[0] === 'api' ? [name] : []));
    expect(servers.map(([, name, host, port, cookie]) => [name, host, port, cookie])).toEqual(
      apis.map((name) => [name, name, '8080', name]),
    );
    const grpc = [
      ...proxy.matchAll(/^ {2}server \S+ (\S+):50051 proto h2 check port 8080 check-proto h1$/gm),
    ];
    expect(grpc.map(([, host]) => host)).toEqual(apis);
    expect(proxy).toContain('uri /readyz');
    expect(read('api/plugins/health.ts')).toContain("path: '/readyz'");
  });

  it('has a runner that may write rules of the network, and finds the servers where they stay', () => {
    const { runner } = compose.services;
    expect(runner.cap_add).toContain('NET_ADMIN');
    const hosts = runner.extra_hosts.map((pair: string) => filled(pair).split(':'));
    const fixed = services.flatMap(([name, { networks }]) => {
      const address = networks?.cluster?.ipv4_address;
      return address === undefined ? [] : [[name, filled(address)]];
    });
    expect(fixed).toEqual(expect.arrayContaining(hosts));
    expect(hosts.map(([name]: string[]) => name).sort()).toEqual(['mongo', 'redis']);
    const [{ subnet, gateway, ip_range }] = compose.networks.cluster.ipam.config;
    const [net] = /^(\d+\.){3}/.exec(filled(subnet)) ?? [];
    expect(filled(gateway)).toBe(`${net}1`);
    // Above all that is fixed.
    expect(filled(ip_range)).toBe(`${net}128/25`);
    for (const [, address] of fixed) {
      expect(address?.startsWith(net ?? '?')).toBe(true);
      expect(Number(address?.split('.')[3])).toBeLessThan(128);
    }
  });

  it('has a Prometheus that is told where every process tells its metrics', () => {
    const config: Yaml = parse(read('infra/grafana/prometheus.compose.yml'));
    const targets = config.scrape_configs.flatMap((job: Yaml) => job.static_configs[0].targets).sort();
    const doors = own.map(([name, { command, environment: env }]) => {
      const role = command[0] as Role;
      if (role === 'api') return `${name}:8080`;
      expect(env.METRICS_HOST).toBeDefined();
      return `${name}:${env[`${role.toUpperCase()}_METRICS_PORT`]}`;
    });
    expect(targets).toEqual(doors.sort());
    const { prometheus, runner } = compose.services;
    expect(filled(prometheus.extra_hosts[0])).toBe(`runner:${filled(runner.environment.METRICS_HOST)}`);
  });

  it('builds with arguments that the image takes', () => {
    const { args } = compose.services['api-1'].build;
    for (const [name, value] of Object.entries<string>(args)) {
      const [, normal] = new RegExp(`^ARG ${name}(?:=(.*))?$`, 'm').exec(read('infra/Dockerfile')) ?? [];
      expect([name, filled(value)]).toEqual([name, normal ?? '']);
    }
  });

  it('keeps Redis from evicting, and what it knows on disk', () => {
    const script = compose.services.redis.command.join('\n');
    for (const words of ['appendonly yes', 'maxmemory-policy noeviction']) expect(script).toContain(words);
    // A part of a pipe is a child of the shell, which is told to stop and does not hand it on.
    for (const text of [script, read('infra/k8s/base/redis.yaml')]) {
      expect(text).toMatch(/^ *exec redis-server - <<END$/m);
    }
  });
});

describe('infra/Dockerfile', () => {
  const script = read('infra/container/entry.sh');

  it('has an entry that knows every process, and refuses others', () => {
    const cases = [...script.matchAll(/^ {2}([a-z |]+)\) exec node (\S+)/gm)].map(([, names, path]) => [
      names,
      path,
    ]);
    expect(cases).toEqual([
      ['api | scheduler | runner', '"/app/dist/$role/main.js"'],
      ['restore', '/app/dist/api/main.js'],
      ['cloudai', '/app/dist/cli/main.js'],
    ]);
  });

  it('copies only what .dockerignore lets through', () => {
    const let_ = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path]) => path ?? '');
    for (const path of let_) expect(existsSync(join(root, path))).toBe(true);
    const sources = parse(read('tsconfig.build.json').replace(/\/\/.*/g, '')).include as string[];
    expect(let_).toEqual(expect.arrayContaining([...sources, 'web', 'package.json', 'package-lock.json']));
  });
});
