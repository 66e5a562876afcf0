// What ships CloudAI names things that the code and other files own: roles, settings, paths that are asked, secrets, ports.
// Checked here without a cluster: compose, Kubernetes manifests, systemd units, the proxy, the image.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { findProgram } from '../../infra/setup/commands.ts';
import { loadApiConfig } from '../../shared/platform/config/api.ts';
import { loadRunnerConfig } from '../../shared/platform/config/runner.ts';
import { loadSchedulerConfig } from '../../shared/platform/config/scheduler.ts';
import { shutdownConfig, stopDeadlineOf } from '../../shared/platform/shutdown.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8');

// biome-ignore lint/suspicious/noExplicitAny: documents whose form is what is checked here.
type Yaml = any;

const SETTINGS = new Set(
  readdirSync(`${root}/shared/platform/config`)
    .filter((name) => !name.endsWith('.test.ts'))
    .flatMap((name) => [...read(`shared/platform/config/${name}`).matchAll(/^ {2}([A-Z][A-Z_]+)[:,]/gm)])
    .map(([, name]) => name),
);
const ROLES = ['api', 'scheduler', 'runner'] as const;
type Role = (typeof ROLES)[number];
const LOADERS = { api: loadApiConfig, scheduler: loadSchedulerConfig, runner: loadRunnerConfig };
const isRole = (role: unknown): role is Role => ROLES.includes(role as Role);

/** As a process reads them, each secret in a file of the test. @throws what the process would say */
function loadAs(role: Role, env: Readonly<Record<string, unknown>>): void {
  const folder = mkdtempSync(join(tmpdir(), 'cloudai-shipping-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  execFileSync('sh', [`${root}/infra/make-secrets.sh`, folder]);
  const texts = Object.entries(env).map(([name, value]) => [
    name,
    String(value)
      .replace(/^\/run\/secrets\/(cloudai\/)?/, `${folder}/`)
      .replace(/\$\{\w+:-([^}]*)\}/g, '$1'),
  ]);
  LOADERS[role](Object.fromEntries(texts));
}

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
      const [from = ''] = volume.replace(/\$\{\w+:-([^}]*)\}/g, '$1').split(':');
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
    const folder = mkdtempSync(join(tmpdir(), 'cloudai-shipping-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const make = () => execFileSync('sh', [`${root}/infra/make-secrets.sh`, folder]);
    make();
    expect(readdirSync(folder).sort()).toEqual(Object.keys(compose.secrets).sort());
    const text = (name: string) => readFileSync(join(folder, name), 'utf8').trim();
    const before = text('store-url');
    make();
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
    expect(proxy).toContain('uri /readyz');
    expect(read('api/plugins/health.ts')).toContain("path: '/readyz'");
  });

  const filled = (text: string) => text.replace(/\$\{\w+:-([^}]*)\}/g, '$1');

  it('has a runner that may write rules of the network, and finds the servers where they stay', () => {
    const { runner } = compose.services;
    expect(runner.cap_add).toContain('NET_ADMIN');
    const hosts = runner.extra_hosts.map((pair: string) => filled(pair).split(':'));
    const fixed = services.flatMap(([name, { networks }]) => {
      const address = networks?.cluster?.ipv4_address;
      return address === undefined ? [] : [[name, filled(address)]];
    });
    expect(hosts).toEqual(fixed);
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
  });
});

describe('infra/k8s', () => {
  const files = readdirSync(`${root}/infra/k8s/base`).filter((name) => name !== 'kustomization.yaml');
  const objects: Yaml[] = files.flatMap((name) =>
    parseAllDocuments(read(`infra/k8s/base/${name}`)).map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS();
    }),
  );
  const find = (kind: string, name: string) =>
    objects.find((one) => one.kind === kind && one.metadata.name === name);
  const workloads = objects
    .filter(({ spec }) => spec?.template)
    .map((one) => [one.metadata.name, one] as const);
  const settings = find('ConfigMap', 'cloudai').data;

  it('has in its kustomization every file, and the objects of a cluster', () => {
    expect([...parse(read('infra/k8s/base/kustomization.yaml')).resources].sort()).toEqual(files.sort());
    const kinds = workloads.map(([name, { kind, spec }]) => [name, kind, spec.replicas ?? null]);
    expect(kinds.sort()).toEqual([
      ['api', 'Deployment', 2],
      ['mongo', 'StatefulSet', 1],
      ['redis', 'StatefulSet', 1],
      ['runner', 'DaemonSet', null],
      ['scheduler', 'Deployment', 2],
    ]);
    for (const name of ['api', 'scheduler']) {
      expect(find('PodDisruptionBudget', name).spec.selector.matchLabels).toEqual({ app: name });
    }
    for (const name of Object.keys(settings)) expect(SETTINGS).toContain(name);
  });

  it.each(workloads)('has a pod of %s whose names lead somewhere', (name, { spec }) => {
    expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels);
    const pod = spec.template.spec;
    const made = (spec.volumeClaimTemplates ?? []).map((claim: Yaml) => claim.metadata.name);
    const volumes = [...made, ...(pod.volumes ?? []).map((volume: Yaml) => volume.name)];
    const secrets = Object.keys(parse(read('infra/compose.yaml'), { merge: true }).secrets);
    for (const volume of pod.volumes ?? []) {
      for (const { key } of volume.secret?.items ?? []) expect(secrets).toContain(key);
    }
    for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
      for (const mount of container.volumeMounts) expect(volumes).toContain(mount.name);
      expect(container.resources.requests).toMatchObject({
        cpu: expect.anything(),
        memory: expect.anything(),
      });
      expect(container.securityContext).toBeDefined();
      const ports = (container.ports ?? []).map((port: Yaml) => port.name);
      for (const kind of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
        const { httpGet, tcpSocket, exec } = container[kind] ?? {};
        if (httpGet) expect(read('api/plugins/health.ts')).toContain(`path: '${httpGet.path}'`);
        for (const { port } of [httpGet, tcpSocket].filter(Boolean)) expect(ports).toContain(port);
        if (exec?.command[0] === 'cloudai-health') expect(container.image).toBe('cloudai:local');
      }
      if (container.image === 'cloudai:local') checkOwn(name, container, pod);
    }
  });

  function checkOwn(name: string, container: Yaml, pod: Yaml): void {
    expect(container.args).toEqual([name]);
    if (!isRole(name)) throw new Error(`${name} is no role`);
    const plain = (container.env ?? []).filter((one: Yaml) => one.value !== undefined);
    for (const one of container.env ?? []) expect(SETTINGS).toContain(one.name);
    const env = Object.fromEntries(plain.map((one: Yaml) => [one.name, one.value]));
    expect(() => loadAs(name, { ...settings, ...env })).not.toThrow();
    const { shutdown } = loadRunnerConfig(env);
    const least = name === 'runner' ? stopDeadlineOf(shutdown) : 15_000;
    expect(pod.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(least);
    const items = pod.volumes.flatMap((volume: Yaml) => volume.secret?.items ?? []);
    const wanted = Object.values<string>({ ...settings, ...env }).flatMap(
      (value) => /^\/run\/secrets\/cloudai\/(.+)/.exec(value)?.[1] ?? [],
    );
    expect(items.map((item: Yaml) => item.path).sort()).toEqual(wanted.sort());
  }

  it('has pods that Prometheus finds, by label and port, and a runner that may write rules of the network', () => {
    const config: Yaml = parse(read('infra/grafana/prometheus.kubernetes.yml'));
    const wanted = config.scrape_configs.map((job: Yaml) => job.relabel_configs[0].regex);
    const there = workloads.flatMap(([, { spec: { template } }]) =>
      template.spec.containers.flatMap((one: Yaml) =>
        (one.ports ?? []).map((port: Yaml) => `${template.metadata.labels.app};${port.name}`),
      ),
    );
    expect(wanted).toEqual(['api;http', 'scheduler;metrics', 'runner;metrics']);
    for (const one of wanted) expect(there).toContain(one);
    const [runner] = find('DaemonSet', 'runner').spec.template.spec.containers;
    expect(runner.securityContext.capabilities).toEqual({ drop: ['ALL'], add: ['NET_ADMIN'] });
  });

  it('has services that lead to ports of pods', () => {
    const services = objects.filter(({ kind }) => kind === 'Service');
    expect(services).toHaveLength(3);
    for (const { spec } of services) {
      const [, workload] = workloads.find(([name]) => name === spec.selector.app) ?? [];
      const ports = workload.spec.template.spec.containers.flatMap((one: Yaml) => one.ports ?? []);
      for (const port of spec.ports) expect(ports.map((one: Yaml) => one.name)).toContain(port.targetPort);
    }
  });

  it('keeps its secrets out of the repository, and an overlay that has all of them', () => {
    const { secretGenerator } = parse(read('infra/k8s/overlays/example/kustomization.yaml'));
    const names = secretGenerator[0].files.map((path: string) => path.replace('secrets/', ''));
    expect(names.sort()).toEqual(
      Object.keys(parse(read('infra/compose.yaml'), { merge: true }).secrets).sort(),
    );
    expect(read('.gitignore')).toContain('/infra/k8s/overlays/*/secrets/');
    const { spec } = parse(read('infra/k8s/overlays/example/ingress.yaml'));
    const { service } = spec.rules[0].http.paths[0].backend;
    expect(find('Service', service.name).spec.ports[0].name).toBe(service.port.name);
  });
});

describe('infra/systemd', () => {
  const units = readdirSync(`${root}/infra/systemd`);
  const services = units.filter((name) => name.endsWith('.service'));

  function valuesOf(unit: string, key: string): string[] {
    return [...read(`infra/systemd/${unit}`).matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(
      ([, value]) => value ?? '',
    );
  }

  it('has a unit for each process', () => {
    expect(units.sort()).toEqual(
      [...ROLES.map((role) => `cloudai-${role}.service`), 'cloudai.target'].sort(),
    );
  });

  it.each(services)('starts by %s what is built, and waits for its end', (unit) => {
    const role = /cloudai-(\w+)\.service/.exec(unit)?.[1] ?? '';
    expect(valuesOf(unit, 'ExecStart')).toEqual([`/usr/bin/node dist/${role}/main.js`]);
    expect(existsSync(`${root}/${role}/main.ts`)).toBe(true);
    expect(valuesOf(unit, 'RestartPreventExitStatus')).toEqual(['78']);
    for (const pair of valuesOf(unit, 'Environment').flatMap((line) => line.split(' '))) {
      expect([...SETTINGS, 'NODE_ENV']).toContain(pair.split('=')[0]);
    }
    const [stop = ''] = valuesOf(unit, 'TimeoutStopSec');
    const stopMs = Number.parseInt(stop, 10) * (stop.endsWith('min') ? 60_000 : 1_000);
    const mode = role === 'runner' ? 'finish' : 'leave';
    expect(stopMs).toBeGreaterThan(stopDeadlineOf(shutdownConfig(mode, 300, 10)));
  });

  it('leaves the containers of tasks alone when a runner is stopped', () => {
    expect(valuesOf('cloudai-runner.service', 'KillMode')).toEqual(['mixed']);
  });

  it.each(services)('gives %s no capability but that for the network of tasks', (unit) => {
    const expected = unit === 'cloudai-runner.service' ? ['CAP_NET_ADMIN'] : [''];
    expect(valuesOf(unit, 'CapabilityBoundingSet')).toEqual(expected);
    expect(valuesOf(unit, 'AmbientCapabilities')).toEqual(expected);
  });

  const analyze = findProgram('systemd-analyze');
  const whyNot = analyze === null ? 'no systemd-analyze' : existsSync('/usr/bin/node') ? null : 'no /usr/bin/node';
  const skipped = whyNot === null ? '' : ` (skipped: ${whyNot} here)`;
  it.skipIf(whyNot !== null)(`is what systemd itself takes${skipped}`, () => {
    const paths = units.map((name) => `${root}/infra/systemd/${name}`);
    const said = execFileSync(analyze ?? '', ['verify', '--man=no', ...paths], {
      stdio: 'pipe',
      timeout: 30_000,
    });
    expect(said.toString()).toBe('');
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
