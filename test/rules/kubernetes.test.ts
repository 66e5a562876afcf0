// The manifests of infra/k8s name things that the code and other files own: settings, ports, secrets, paths that are asked.
// Checked here without a cluster; what kustomize makes of them where there is a kubectl.

import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { findProgram } from '../../infra/setup/commands.ts';
import { loadRunnerConfig } from '../../shared/platform/config/runner.ts';
import { stopDeadlineOf } from '../../shared/platform/shutdown.ts';
import { isRole, loadAs, SETTINGS, temporaryFolder } from '../support/shipped-settings.ts';
import { makeSecrets, read, root, type Yaml } from '../support/shipping.ts';

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
    const there = workloads.flatMap(
      ([
        ,
        {
          spec: { template },
        },
      ]) =>
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

const kubectl = findProgram('kubectl');
const withoutKubectl = kubectl === null ? ' (skipped: no kubectl here)' : '';
describe.skipIf(kubectl === null)(`kubectl kustomize${withoutKubectl}`, () => {
  /** The objects of an overlay, with secrets made for it. */
  function built(overlay: string): Yaml[] {
    const folder = temporaryFolder();
    cpSync(`${root}/infra/k8s`, folder, { recursive: true });
    makeSecrets(join(folder, 'overlays/example/secrets'));
    const text = execFileSync(kubectl ?? '', ['kustomize', join(folder, 'overlays', overlay)], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    return parseAllDocuments(text).map((document) => document.toJS());
  }
  const podOf = (objects: Yaml[], kind: string, name: string) =>
    objects.find((one) => one.kind === kind && one.metadata.name === name).spec.template.spec;

  it('makes the example whole: the image, the secrets and an engine in the pod of a runner', () => {
    const objects = built('example');
    const api = podOf(objects, 'Deployment', 'api');
    expect(api.containers[0].image).toMatch(/^registry\.example\/cloudai:/);
    const secret = objects.find(({ kind }) => kind === 'Secret');
    expect(api.volumes.find((one: Yaml) => one.secret).secret.secretName).toBe(secret.metadata.name);
    const runner = podOf(objects, 'DaemonSet', 'runner');
    expect(runner.initContainers[0]).toMatchObject({ name: 'engine', restartPolicy: 'Always' });
    expect(runner.hostNetwork).toBeUndefined();
  });

  it('puts a runner beside the Docker of its node', () => {
    const runner = podOf(built('node-docker'), 'DaemonSet', 'runner');
    expect(runner.initContainers ?? []).toEqual([]);
    expect(runner).toMatchObject({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' });
    const [{ env, volumeMounts }] = runner.containers;
    const names = env.map((one: Yaml) => one.name);
    expect(names).not.toContain('WORKER_CPUS');
    expect(env.find((one: Yaml) => one.name === 'SHUTDOWN').value).toBe('leave');
    expect(volumeMounts.find((one: Yaml) => one.name === 'socket').mountPath).toBe(
      '/run/cloudai/docker.sock',
    );
    const socket = runner.volumes.find((one: Yaml) => one.name === 'socket');
    expect(socket).toEqual({ name: 'socket', hostPath: { path: '/run/docker.sock', type: 'Socket' } });
  });
});
