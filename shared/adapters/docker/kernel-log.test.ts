import { describe, expect, it } from 'vitest';
import { memoryKillOf, openKernelLog } from './kernel-log.ts';

const id = '4059d25507e1caffd68daa25de7d434506829bd1d72b837048488cc95c2a5a8b';
const record = (group: string, constraint = 'CONSTRAINT_MEMCG') =>
  `6,812,5840027221,-;oom-kill:constraint=${constraint},nodemask=(null),cpuset=${id},mems_allowed=0,oom_memcg=${group},task_memcg=${group},task=tail,pid=16837,uid=0\n`;

describe('the kernel log', () => {
  it('names the container that went over its memory', () => {
    expect(memoryKillOf(record(`/docker/${id}`))).toBe(id);
    expect(memoryKillOf(record(`/system.slice/docker-${id}.scope`))).toBe(id);
  });

  it('says nothing of other kills', () => {
    expect(memoryKillOf(record('/user.slice'))).toBeNull();
    expect(memoryKillOf(record(`/docker/${id}`, 'CONSTRAINT_NONE'))).toBeNull();
    expect(memoryKillOf(`6,1,1,-;docker0: port 1 ${id} entered forwarding state`)).toBeNull();
  });

  it('that may not be read says nothing', () => {
    const log = openKernelLog('/no/such/device');
    expect(log.killedForMemory(id)).toBe(false);
    log.close();
  });
});
