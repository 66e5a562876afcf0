// What somebody meant who wrote a field that is none. Pure.

/** Names that people bring from the command line and from other systems. */
const ALIASES: Readonly<Record<string, string>> = {
  cores: 'cpu_required',
  cpu: 'cpu_required',
  cpu_cores: 'cpu_required',
  cpus: 'cpu_required',
  vcpus: 'cpu_required',
  mem: 'memory_required, in MB',
  memory: 'memory_required, in MB',
  memory_mb: 'memory_required',
  ram: 'memory_required, in MB',
  gpu: 'gpu_required',
  gpu_cores: 'gpu_required',
  gpus: 'gpu_required',
  disk: 'storage_required, in MB',
  storage: 'storage_required, in MB',
  image: 'docker_image',
  container: 'docker_image',
  args: 'command',
  cmd: 'command',
  entrypoint: 'command',
  run: 'command',
  script: 'command',
  title: 'name',
  tags: 'tag',
  label: 'constraints',
  labels: 'constraints',
  constraint: 'constraints',
  node_selector: 'constraints',
  nodeselector: 'constraints',
  preference: 'prefer',
  preferences: 'prefer',
  preferred: 'prefer',
  environment: 'env',
  variables: 'env',
  file: 'files',
  inputs: 'files',
  bind: 'mounts',
  binds: 'mounts',
  mount: 'mounts',
  volume: 'mounts',
  volumes: 'mounts',
  secret: 'secrets',
  timeout: 'timeout_seconds',
  retries: 'max_retries',
  retry: 'max_retries',
  backoff: 'retry_delay_seconds',
  retry_delay: 'retry_delay_seconds',
  exit_codes: 'retry_on_exit_codes',
  queue_timeout: 'queue_timeout_seconds',
  max_wait: 'queue_timeout_seconds',
  k: 'k_value',
  pull: 'pull_policy',
  image_pull_policy: 'pull_policy',
  node: 'worker',
  strategy: 'matrix',
  sweep: 'matrix',
};

/** `; did you mean …?`, or empty when nothing is near. */
export function meant(written: string, known: readonly string[]): string {
  if (written === '<<') return '; merge keys are not read: put what tasks share into "defaults"';
  const key = written.toLowerCase().replaceAll('-', '_');
  if (key === 'include' || key === 'exclude') {
    return known.includes('matrix') ? '; it belongs into "matrix"' : '';
  }
  const alias = ALIASES[key];
  if (alias && known.includes(alias.split(',')[0] ?? '')) return `; did you mean ${alias}?`;
  let best = { name: '', distance: Math.max(1, Math.floor(key.length / 3)) + 1 };
  for (const name of known) {
    const distance = editDistance(key, name.toLowerCase());
    if (distance < best.distance) best = { name, distance };
  }
  return best.name === '' ? '' : `; did you mean ${best.name}?`;
}

/** Letters to insert, delete or replace, or neighbours to swap (optimal string alignment). */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 8) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
