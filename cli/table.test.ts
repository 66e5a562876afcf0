import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Column, cutTo, displayWidth, plain, renderTable } from './table.ts';

interface Row {
  id: string;
  name: string;
  extra: string;
}
const columns: Column<Row>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'NAME', cell: ({ name }) => name, min: 5 },
  { title: 'EXTRA', cell: ({ extra }) => extra, align: 'right', dispensable: 1 },
];
const rows: Row[] = [
  { id: 'task-1', name: 'a rather long name', extra: '12' },
  { id: 'task-22', name: 'b', extra: '3' },
];

describe('a table', () => {
  it('lines up its columns', () => {
    expect(renderTable(rows, columns, null)).toBe(
      'ID       NAME                EXTRA\ntask-1   a rather long name     12\ntask-22  b                       3\n',
    );
  });

  it('cuts what may be cut to fit', () => {
    expect(renderTable(rows, columns, 24)).toBe(
      'ID       NAME      EXTRA\ntask-1   a rathe…     12\ntask-22  b             3\n',
    );
  });

  it('leaves out what is dispensable before it cuts below the least, and never cuts an id', () => {
    expect(renderTable(rows, columns, 16)).toBe('ID       NAME\ntask-1   a rath…\ntask-22  b\n');
    expect(renderTable(rows, columns, 3)).toContain('task-22');
  });

  it('keeps the title of a column that is left out over the one that goes on with it', () => {
    const picture: Column<Row> = { title: 'LENGTH', cell: () => '████████', dispensable: 2 };
    const figures: Column<Row> = { title: '', cell: ({ extra }) => extra, goesOn: picture, dispensable: 1 };
    const pair = [columns[0]!, picture, figures];
    const heading = (width: number | null) => renderTable(rows, pair, width).split('\n')[0];
    expect(heading(null)).toBe('ID       LENGTH');
    expect(renderTable(rows, pair, 18)).toBe('ID       LENGTH\ntask-1   12\ntask-22  3\n');
    expect(heading(14)).toBe('ID');
  });

  it('does not cut a title that only has spaces at its end', () => {
    const wide = columns.map((column) => ({ ...column, title: column.title.padEnd(20) }));
    expect(renderTable(rows, wide, 60).split('\n')[0]).toMatch(/^ID +NAME +EXTRA$/);
  });

  it('fits any width that has room for the least of its columns', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ id: fc.constant('task-1'), name: fc.string(), extra: fc.string() })),
        fc.integer({ min: 13, max: 120 }),
        (some, width) => {
          for (const line of renderTable(some, columns, width).split('\n')) {
            expect(displayWidth(line)).toBeLessThanOrEqual(width);
          }
        },
      ),
    );
  });

  it('paints without disturbing the widths', () => {
    const painted = columns.map((column) => ({
      ...column,
      paint: (text: string) => `\x1b[31m${text}\x1b[0m`,
    }));
    const bare = renderTable(rows, painted, 24).replaceAll('\x1b[31m', '').replaceAll('\x1b[0m', '');
    expect(bare).toBe(renderTable(rows, columns, 24));
  });
});

describe('text from elsewhere', () => {
  it('cannot steer the terminal', () => {
    expect(plain('a\x1b]0;evil\x07b\nc\u202ed')).toBe('a ]0;evil b c d');
    expect(renderTable([{ id: 'x', name: '\x1b[2J', extra: '' }], columns, null)).not.toContain('\x1b');
  });

  it('is measured as it is shown', () => {
    expect(displayWidth('日本')).toBe(4);
    expect(displayWidth('e\u0301')).toBe(1);
    expect(cutTo('日本語', 5)).toBe('日本…');
    expect(cutTo('abc', 3)).toBe('abc');
  });
});
