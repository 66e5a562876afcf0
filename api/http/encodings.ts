// Which forms of a packed file a caller takes, by the header Accept-Encoding. Pure.

/** Whether the header names `br` and does not rule it out with `q=0`. */
export function takesBrotli(header: string | undefined): boolean {
  return (header ?? '').split(',').some((part) => {
    const [name = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    return name === 'br' && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
