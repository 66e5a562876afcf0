// Folders of a worker that a task may find in its container: what it asks for, and which ones a worker lets be mounted. Pure:
// it knows paths, and nothing of links and of what is on a disk.
//
// For placing, a mount is a term over labels like any other (labels.ts): what a worker lets be mounted is a label of it,
// `mount:/data` with the value `rw` or `ro`. A label of a folder holds for what is below it; the nearest one decides.

import type { LabelDemand, Labels, LabelTerms } from './labels.ts';

export interface Mount {
  /** On the worker: absolute, in its one spelling. */
  readonly source: string;
  /** In the container. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** The folder and all below it. */
export interface MountRule {
  readonly path: string;
  /** Nothing of it may be mounted for writing. */
  readonly readOnly: boolean;
}

export const MOST_MOUNTS = 16;
const MOUNT_PATH_MAX = 1_024;

/** What stands between folders and terms elsewhere (`,` `:` `=` `|`) is no part of a name here. */
const NAME = /^[\p{L}\p{N} ._+@%#~-]+$/u;

/** What is wrong with it, to complete "must be …"; null when it may be used. */
export function mountPathFault(path: string): string | null {
  if (!path.startsWith('/')) return 'an absolute path, such as "/data/sets"';
  if (path.length > MOUNT_PATH_MAX) return `at most ${MOUNT_PATH_MAX} characters long`;
  if (path === '/') return 'a folder below "/", not all of it';
  const names = path.slice(1).split('/');
  if (names.some((name) => name === '' || name === '.' || name === '..'))
    return 'a path without ".", "..", "//" and without "/" at its end';
  if (!names.every((name) => NAME.test(name)))
    return 'made of names with letters, digits, spaces and . _ + @ % # ~ - alone';
  return null;
}

/** Of the machine and of its engine: never mounted, nor anything that they are below of. */
const NEVER_MOUNTED = ['/proc', '/sys', '/dev', '/run', '/var/run', '/var/lib/docker'] as const;
/** In a container the platform puts things there, or the kernel does. */
const NEVER_TARGETS = ['/proc', '/sys', '/dev', '/input', '/output'] as const;

/** The same folder, or one below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}

/** The folder of `never` that is in the way: `path` is in it, or it is in `path`. */
export function forbiddenBy(path: string, never: readonly string[] = NEVER_MOUNTED): string | undefined {
  return never.find((one) => isWithin(path, one) || isWithin(one, path));
}

/** What is wrong with where it is to be found in the container, to complete "must be …"; null: nothing. */
export function mountTargetFault(target: string): string | null {
  const fault = mountPathFault(target);
  if (fault !== null) return fault;
  const taken = NEVER_TARGETS.find((one) => isWithin(target, one));
  return taken === undefined ? null : `outside ${taken}, which is not for mounts`;
}

/** Two targets of which one is in the other, or both are one; null when each has a place of its own. */
export function targetClash(mounts: readonly Pick<Mount, 'target'>[]): readonly [string, string] | null {
  for (const [at, { target }] of mounts.entries()) {
    for (const { target: other } of mounts.slice(at + 1)) {
      if (isWithin(target, other) || isWithin(other, target)) return [target, other];
    }
  }
  return null;
}

/** The nearest of the rules that the path is in; null when it is in none. */
function ruleFor(path: string, rules: readonly MountRule[]): MountRule | null {
  return rules.reduce<MountRule | null>(
    (best, rule) =>
      isWithin(path, rule.path) && (best === null || rule.path.length > best.path.length) ? rule : best,
    null,
  );
}

/** Why it may not be mounted by these rules, to complete "this worker …"; null when it may. */
export function mountRefusal({ source, readOnly }: Mount, rules: readonly MountRule[]): string | null {
  const rule = ruleFor(source, rules);
  if (rule === null) return `does not let ${source} be mounted`;
  return rule.readOnly && !readOnly ? `lets ${source} be mounted only read-only` : null;
}

const LABEL = 'mount:';

export function isMountTerm(name: string): boolean {
  return name.startsWith(LABEL);
}

/** The folder that a term is about. */
export function folderOfTerm(name: string): string {
  return name.slice(LABEL.length);
}

/** The names under which a label may stand that decides over the one asked for: the nearest folder first. */
export function* namesAbove(name: string): Generator<string> {
  yield name;
  for (let at = name.lastIndexOf('/'); at > LABEL.length; at = name.lastIndexOf('/', at - 1))
    yield name.slice(0, at);
}

/** What a task demands of its worker: labels, and that it lets be mounted what the task mounts. */
export function demandOf(
  spec: LabelDemand & { readonly mounts?: readonly Mount[] | undefined },
): LabelDemand {
  const { mounts = [], constraints, prefer } = spec;
  if (mounts.length === 0) return spec;
  const terms: Record<string, readonly string[]> = {};
  // One that is mounted twice is to be written to when either is.
  for (const { source, readOnly } of mounts)
    terms[`${LABEL}${source}`] = readOnly && terms[`${LABEL}${source}`]?.length !== 1 ? ['ro', 'rw'] : ['rw'];
  return { constraints: { ...constraints, ...terms }, prefer };
}

/** The labels of a worker for placing: its own, and what it lets be mounted. */
export function placingLabels(worker: {
  readonly labels: Labels;
  readonly mounts?: readonly MountRule[] | undefined;
}): Labels {
  const { labels, mounts = [] } = worker;
  if (mounts.length === 0) return labels;
  const own = mounts.map(({ path, readOnly }) => [`${LABEL}${path}`, readOnly ? 'ro' : 'rw'] as const);
  return { ...labels, ...Object.fromEntries(own) };
}

/** Those of the terms that are about labels that people gave. */
export function withoutMounts(terms: LabelTerms): LabelTerms {
  if (!Object.keys(terms).some(isMountTerm)) return terms;
  return Object.fromEntries(Object.entries(terms).filter(([name]) => !isMountTerm(name)));
}

/** `/data for writing`: what a term asks to mount. */
export function mountTermWords(name: string, values: readonly string[]): string {
  return `${folderOfTerm(name)}${values.includes('ro') ? '' : ' for writing'}`;
}
