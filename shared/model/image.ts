// Images as workers have them and tasks name them. Pure.

export interface PresentImage {
  /** As `familiarImage` spells it. */
  readonly name: string;
  readonly sizeBytes: number | null;
}

/** An image that lies on an engine. */
export interface StoredImage extends PresentImage {
  /** When it was made, milliseconds since the epoch; null when the engine cannot tell. */
  readonly createdAt: number | null;
}

/**
 * The one spelling of an image's name, as engines list it: `python`, `docker.io/library/python` and `python:latest` are
 * all `python:latest`. What has a digest keeps it and gets no tag.
 */
export function familiarImage(image: string): string {
  const bare = image.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\/(?=[^/]+$)/, '');
  if (bare === '' || bare.includes('@')) return bare;
  // A colon before the last slash belongs to a port.
  return bare.includes(':', bare.lastIndexOf('/') + 1) ? bare : `${bare}:latest`;
}
