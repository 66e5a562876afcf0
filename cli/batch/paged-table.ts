// A table whose rows come page by page: one heading, and columns that keep their widths as far as they can.

import { type Column, displayWidth, plain } from '../table.ts';

export class PagedTable<Row> {
  readonly #columns: readonly Column<Row>[];
  readonly #render: (rows: readonly Row[], columns: readonly Column<Row>[]) => string;
  /** What the widest cell so far needed. */
  readonly #widths: number[];
  #begun = false;

  constructor(
    columns: readonly Column<Row>[],
    render: (rows: readonly Row[], columns: readonly Column<Row>[]) => string,
  ) {
    this.#columns = columns;
    this.#render = render;
    this.#widths = columns.map(({ title }) => displayWidth(title));
  }

  page(rows: readonly Row[]): string {
    const widened = this.#columns.map((column, index) => {
      const cells = rows.map((row) => displayWidth(plain(column.cell(row))));
      const width = cells.reduce((widest, cell) => Math.max(widest, cell), this.#widths[index] ?? 0);
      this.#widths[index] = width;
      // A title makes a column as wide as itself.
      return { ...column, title: column.title.padEnd(width) };
    });
    const text = this.#render(rows, widened);
    if (!this.#begun) {
      this.#begun = true;
      return text;
    }
    return text.slice(text.indexOf('\n') + 1);
  }
}
