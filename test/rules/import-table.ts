// Reads the import table of docs/ARCHITECTURE.md and the imports of source files, and says what breaks the table.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

interface Room {
  /** In a line of the table also `<folder>/*` for each folder in it, and `*` for all rooms that this line does not name. */
  readonly name: string;
  readonly rooms: readonly string[];
  readonly packages: readonly string[];
}

interface Violation {
  readonly file: string;
  readonly imported: string;
  readonly why: string;
}

/** Rooms whose files must not even use Node's own modules. */
const PURE = /^(shared\/(errors\.ts|model|ports|contracts)|[a-z]+\/core)$/;
/** Files that see everything. */
const FREE = /(^(test|bench)\/|\.test\.ts$|\.config\.ts$)/;
const ROOTS = ['api', 'scheduler', 'runner', 'shared', 'client', 'cli', 'web', 'infra'];

export class ImportTable {
  readonly #lines: readonly Room[];

  constructor(markdown: string) {
    const section = markdown.split('\n## ').find((part) => part.startsWith('Who may import whom')) ?? '';
    const names = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
    this.#lines = section
      .split('\n')
      .filter((line) => /^\| `/.test(line))
      .flatMap((line) => {
        const [, first, rooms, packages] = line.split('|');
        return names(first).map((name) => ({ name, rooms: names(rooms), packages: names(packages) }));
      });
  }

  get names(): readonly string[] {
    return this.#lines.map(({ name }) => name);
  }

  roomOf(path: string): Room | null {
    const name = this.#nameOf(path);
    if (name === null) return null;
    const lines = this.#lines.filter((line) => line.name === name || line.name === `${dirname(name)}/*`);
    const all = this.#lines.find((line) => line.name === '*');
    if (all && !all.rooms.includes(name)) lines.push(all);
    return {
      name,
      rooms: lines.flatMap((line) => line.rooms),
      packages: lines.flatMap((line) => line.packages),
    };
  }

  /** The innermost. */
  #nameOf(path: string): string | null {
    const found = this.#lines.flatMap(({ name }) => {
      if (!name.endsWith('/*')) return path === name || path.startsWith(`${name}/`) ? [name] : [];
      const folder = name.slice(0, -1);
      const [child, ...rest] = path.slice(folder.length).split('/');
      return path.startsWith(folder) && rest.length > 0 ? [`${folder}${child}`] : [];
    });
    return found.sort((a, b) => b.length - a.length)[0] ?? null;
  }

  findViolations(root: string, files = listSources(root)): Violation[] {
    return files.flatMap((file) => {
      const room = this.roomOf(file);
      if (!room) return [{ file, imported: '', why: 'the file is in no room of the table' }];
      return importsOf(readFileSync(join(root, file), 'utf8')).flatMap((imported) => {
        const why = imported.startsWith('.')
          ? this.#judgeLocal(relative(root, resolve(root, dirname(file), imported)), file, room)
          : judgePackage(imported, room);
        return why ? [{ file, imported, why }] : [];
      });
    });
  }

  /** What lines allow and nobody does. */
  findUnused(root: string, files = listSources(root)): string[] {
    const used = new Set<string>();
    for (const file of files) {
      const room = this.roomOf(file)?.name ?? '';
      for (const imported of importsOf(readFileSync(join(root, file), 'utf8'))) {
        const into = imported.startsWith('.')
          ? this.#nameOf(relative(root, resolve(root, dirname(file), imported)))
          : packageOf(imported);
        used
          .add(`${room} ${into}`)
          .add(`${dirname(room)}/* ${into}`)
          .add(`* ${into}`);
        used.add(`${room} ${dirname(into ?? '')}/*`).add(`${room} ${imported}`);
      }
    }
    return this.#lines.flatMap(({ name, rooms, packages }) =>
      [...rooms, ...packages].map((one) => `${name} ${one}`).filter((one) => !used.has(one)),
    );
  }

  #judgeLocal(target: string, file: string, room: Room): string | null {
    if (target === 'package.json') return null;
    const into = this.#nameOf(target);
    if (into === null) return 'the target is in no room of the table';
    if (into === room.name || room.rooms.some((allowed) => matches(into, allowed))) return null;
    const isMain = /^(api|scheduler|runner)\/main\.ts$/.test(file);
    if (isMain && into === 'shared/wiring') return null;
    return `${room.name} may not import ${into}`;
  }
}

export function listSources(root: string): string[] {
  const found: string[] = [];
  const walk = (directory: string) => {
    for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory()) {
        if (entry.name !== 'node_modules') walk(path);
      } else if (/\.(ts|mts)$/.test(entry.name) && !entry.name.endsWith('.d.ts') && !FREE.test(path)) {
        found.push(path);
      }
    }
  };
  for (const top of ROOTS) walk(top);
  return found;
}

/** Module names in `import … from`, `export … from`, `import '…'` and `import('…')`. */
export function importsOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const pattern =
    /(?:^\s*(?:import|export)\b[^;'"]*?\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)(['"])([^'"\n]+)\1/gm;
  return [...code.matchAll(pattern)].map((match) => match[2] ?? '');
}

function judgePackage(imported: string, room: Room): string | null {
  if (room.packages.includes(imported)) return null;
  if (imported.startsWith('node:')) return PURE.test(room.name) ? `${room.name} is pure` : null;
  const name = packageOf(imported);
  return room.packages.includes(name) ? null : `${room.name} may not import the package ${name}`;
}

function packageOf(imported: string): string {
  return imported
    .split('/')
    .slice(0, imported.startsWith('@') ? 2 : 1)
    .join('/');
}

function matches(name: string, allowed: string): boolean {
  return allowed.endsWith('/*') ? name.startsWith(allowed.slice(0, -1)) : name === allowed;
}
