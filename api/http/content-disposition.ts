// The header that has a browser save a file instead of showing it, and under which name. RFC 6266 and RFC 8187.

/** @param path of the file; only its last part is its name */
export function attachment(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  // What old readers get: one plain letter for each that is not, and nothing that could end the quotes.
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/gu, '_');
  const header = `attachment; filename="${plain}"`;
  return plain === name ? header : `${header}; filename*=UTF-8''${extended(name)}`;
}

/** encodeURIComponent leaves these five alone; here they must be encoded, too. */
function extended(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
