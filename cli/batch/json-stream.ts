// One JSON document whose list is written as its items come, so that nobody holds all of them. It looks as if
// `JSON.stringify` had written it with two spaces.

export class JsonStream {
  readonly #write: (text: string) => Promise<void>;
  readonly #name: string;
  #items = 0;

  /** `{"<name>": [ … ], …}` */
  constructor(write: (text: string) => Promise<void>, name: string) {
    this.#write = write;
    this.#name = name;
  }

  async add(items: readonly unknown[]): Promise<void> {
    const texts = items.map((item) => {
      const start = this.#items++ === 0 ? `{\n  ${JSON.stringify(this.#name)}: [\n` : ',\n';
      return start + indented(item, '    ');
    });
    await this.#write(texts.join(''));
  }

  /** Fields that come after the list. To be called also when something went wrong: half a document is none. */
  async end(rest: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const list = this.#items === 0 ? `{\n  ${JSON.stringify(this.#name)}: []` : '\n  ]';
    const fields = Object.entries(rest).map(
      ([name, value]) => `,\n  ${JSON.stringify(name)}: ${indented(value, '  ').trimStart()}`,
    );
    await this.#write(`${list}${fields.join('')}\n}\n`);
  }
}

function indented(value: unknown, by: string): string {
  return `${by}${JSON.stringify(value, null, 2).replaceAll('\n', `\n${by}`)}`;
}
