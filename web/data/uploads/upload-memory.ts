// Remembers across a reload which version of a file an upload was begun with. Holds no bytes and no names; a browser
// that keeps nothing only loses the check.

const KEY = 'cloudai.uploads';
/** More than a user may have unfinished. */
const MOST = 200;

type Memory = Readonly<Record<string, number>>;

export function rememberUpload(id: string, lastModified: number): void {
  const entries = Object.entries({ ...read(), [id]: lastModified });
  write(Object.fromEntries(entries.slice(-MOST)));
}

export function forgetUpload(id: string): void {
  const { [id]: _forgotten, ...rest } = read();
  write(rest);
}

/** When the file was last changed that the upload was begun with; null when that is not known. */
export function rememberedUpload(id: string): number | null {
  return read()[id] ?? null;
}

function read(): Memory {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof kept === 'object' && kept !== null ? (kept as Memory) : {};
  } catch {
    return {};
  }
}

function write(memory: Memory): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(memory));
  } catch {
    // Full or forbidden.
  }
}
