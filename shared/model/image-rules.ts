// Which images may be run, by patterns of the operator. Pure.

/** @param patterns with `*` for any text; none allows every image */
export function imageRule(patterns: readonly string[]): (image: string) => boolean {
  if (patterns.length === 0) return () => true;
  const rules = patterns.map(
    (pattern) => new RegExp(`^${pattern.split(/\*+/).map(escapeText).join('.*')}$`, 's'),
  );
  return (image) => {
    // "python" means "python:latest", so a rule for either form covers both.
    const forms = hasTagOrDigest(image) ? [image] : [image, `${image}:latest`];
    return rules.some((rule) => forms.some((form) => rule.test(form)));
  };
}

function hasTagOrDigest(image: string): boolean {
  return image.includes('@') || image.slice(image.lastIndexOf('/') + 1).includes(':');
}

function escapeText(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
