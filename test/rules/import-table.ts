// Reads the import table of docs/ARCHITECTURE.md and the imports of source files, and says what breaks the table.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export interface Room {
  readonly name: string;
  readonly rooms: readonly string[];
  readonly packages: readonly string[];
}

export interface Violation {
  readonly file: string;
  readonly imported: string;
  readonly why: string;
}

/** Rooms whose files must not even use Node's own modules. */
const PURE = /^(shared\/(errors\.ts|model|ports|contracts)|[a-z]+\/core)$/;
/** Files that see everything. */
const FREE = /(^(test|bench)\/|\.test\.ts$|\.config\.ts$)/;
const ROOTS = ['api', 'scheduler', 'runner', 'shared', 'client', 'cli', 'web', 'infra'];

export function readImportTable(markdown: string): Room[] {
  const section = markdown.split('\n## ').find((part) => part.startsWith('Who may import whom')) ?? '';
  return section
    .split('\n')
    .filter((line) => /^\| `/.test(line))
    .map((line) => {
      const [room = '', rooms = '', packages = ''] = line
        .split('|')
        .slice(1)
        .map((cell) => cell.trim());
      const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
      return { name: names(room)[0] ?? '', rooms: names(rooms), packages: names(packages) };
    });
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

function roomOf(path: string, rooms: readonly Room[]): Room | undefined {
  return rooms
    .filter(({ name }) => path === name || path.startsWith(`${name}/`))
    .sort((a, b) => b.name.length - a.name.length)[0];
}

export function findViolations(root: string, rooms: readonly Room[], files = listSources(root)): Violation[] {
  return files.flatMap((file) => {
    const room = roomOf(file, rooms);
    if (!room) return [{ file, imported: '', why: 'the file is in no room of the table' }];
    return importsOf(readFileSync(join(root, file), 'utf8')).flatMap((imported) => {
      const why = imported.startsWith('.')
        ? judgeLocal(relative(root, resolve(root, dirname(file), imported)), file, room, rooms)
        : judgePackage(imported, room);
      return why ? [{ file, imported, why }] : [];
    });
  });
}

function judgeLocal(target: string, file: string, room: Room, rooms: readonly Room[]): string | null {
  if (target === 'package.json') return null;
  const into = roomOf(target, rooms);
  if (!into) return 'the target is in no room of the table';
  if (into.name === room.name || room.rooms.some((allowed) => matches(into.name, allowed))) return null;
  const isMain = /^(api|scheduler|runner)\/main\.ts$/.test(file);
  if (isMain && into.name === 'shared/wiring') return null;
  return `${room.name} may not import ${into.name}`;
}

function judgePackage(imported: string, room: Room): string | null {
  if (room.packages.includes(imported)) return null;
  if (imported.startsWith('node:')) return PURE.test(room.name) ? `${room.name} is pure` : null;
  const name = imported.startsWith('@') ? imported.split('/').slice(0, 2).join('/') : imported.split('/')[0];
  return room.packages.includes(name ?? '') ? null : `${room.name} may not import the package ${name}`;
}

function matches(name: string, allowed: string): boolean {
  return allowed.endsWith('/*') ? name.startsWith(allowed.slice(0, -1)) : name === allowed;
}
