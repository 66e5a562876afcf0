// The units of infra/systemd: what they start is built, what they set is taken, and they wait for the end of what they stop.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findProgram } from '../../infra/setup/commands.ts';
import { shutdownConfig, stopDeadlineOf } from '../../shared/platform/shutdown.ts';
import { ROLES, SETTINGS } from '../support/shipped-settings.ts';
import { read, root } from '../support/shipping.ts';

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
  const whyNot =
    analyze === null ? 'no systemd-analyze' : existsSync('/usr/bin/node') ? null : 'no /usr/bin/node';
  const skipped = whyNot === null ? '' : ` (skipped: ${whyNot} here)`;
  it.skipIf(whyNot !== null)(`is what systemd itself takes${skipped}`, () => {
    const paths = units.map((name) => `${root}/infra/systemd/${name}`);
    const said = spawnSync(analyze ?? '', ['verify', '--man=no', ...paths], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    // What it does not know it says, and ends well.
    expect([said.status, said.stdout, said.stderr]).toEqual([0, '', '']);
  });
});
