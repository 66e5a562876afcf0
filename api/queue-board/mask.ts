// Blots out what may be secret in anything that a board shows, wherever it stands, by the names of fields. Pure.

/** Compared without regard to case, `_` and `-`. What stands below such a name is blotted out whole. */
const SECRET_NAMES =
  /^(env|environment|auth|cookies?)$|secret|token|passw|authorization|credential|apikey|privatekey/;

export const BLOT = '********';
/** Deeper than any job; also the end of what refers to itself. */
const DEEPEST = 32;

export function masked(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return BLOT;
  if (Array.isArray(value)) return value.map((item) => masked(item, depth + 1));
  const entries = Object.entries(value).map(([name, item]) => [
    name,
    isSecret(name) && !isNothing(item) ? BLOT : masked(item, depth + 1),
  ]);
  return Object.fromEntries(entries);
}

function isSecret(name: string): boolean {
  return SECRET_NAMES.test(name.toLowerCase().replaceAll(/[_-]/g, ''));
}

/** That nothing was given is no secret. */
function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === '';
}
