import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTable, separatorOf, TABLE_BOUNDS } from './delimited-table.ts';

const read = (text: string, isWhole = true) => readTable(text, { separator: ',', isWhole });

describe('a table of separated values', () => {
  it('is read with quotes, doubled quotes and lines within a cell', () => {
    const table = read('\ufeffname,note\r\n"a, b","say ""hi""\nthere"\n\nlast,');
    expect(table).toEqual({
      head: ['name', 'note'],
      rows: [
        ['a, b', 'say "hi"\nthere'],
        ['last', ''],
      ],
      moreColumns: 0,
      hasMoreRows: false,
    });
  });

  it('leaves out the half row of a text that was cut', () => {
    expect(read('a,b\n1,2\n3,', false)).toMatchObject({ rows: [['1', '2']], hasMoreRows: true });
  });

  it('is bounded in rows, columns and cells', () => {
    const { rows, columns, cellChars } = TABLE_BOUNDS;
    const long = read(`h\n${'1\n'.repeat(rows + 1)}`);
    expect(long.rows).toHaveLength(rows);
    expect(long.hasMoreRows).toBe(true);
    expect(read(`h\n${'1\n'.repeat(rows)}`)).toMatchObject({ hasMoreRows: false });
    const wide = read(','.repeat(columns + 9));
    expect(wide.head).toHaveLength(columns);
    expect(wide.moreColumns).toBe(10);
    expect(read('x'.repeat(5_000)).head[0]).toHaveLength(cellChars + 1);
    expect(read(`"${'\n'.repeat(100_000)}`).head[0]).toHaveLength(cellChars + 1);
  });

  it('gives back what was written, whatever the cells are', () => {
    const cell = fc.string({ maxLength: 20 });
    const grid = fc
      .integer({ min: 2, max: 5 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      );
    fc.assert(
      fc.property(grid, (cells) => {
        const text = cells
          .map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(','))
          .join('\n');
        const { head, rows } = read(text);
        expect([head, ...rows]).toEqual(cells);
      }),
    );
  });

  it('finds its separator', () => {
    expect(separatorOf('x.csv', 'a;"b,c,d,e";c\n1,2,3,4,5')).toBe(';');
    expect(separatorOf('x.tsv', 'a,b')).toBe('\t');
    expect(separatorOf('x.csv', 'alone')).toBe(',');
  });
});
