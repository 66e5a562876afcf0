// Joi schemas as JSON Schema (2020-12) for the document. Joi writes them itself; here only what it gets wrong or cannot
// know is mended: nulls among allowed values, names of shared parts. Must refuse what would be lost on the way.

import { isDeepStrictEqual } from 'node:util';
import type Joi from 'joi';

export type JsonSchema = { [keyword: string]: unknown };

/** The way a schema is used: what is sent to the API, with its defaults, or what comes back. */
export type Direction = 'request' | 'reply';

interface Named {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly canonical: string;
}

/** Collects the named parts of all schemas of one document. */
export class SchemaBook {
  readonly #named = new Map<string, Named & { direction: Direction }>();
  readonly #byForm = new Map<string, Named>();

  /** The schema with references in the place of its named parts. */
  write(schema: Joi.Schema, direction: Direction): JsonSchema {
    this.#collect(schema, direction);
    return this.#fold(convert(schema, direction), null, direction);
  }

  /** The named parts, in order of name. */
  parts(): Record<string, JsonSchema> {
    const sorted = [...this.#named.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return Object.fromEntries(
      sorted.map(({ name, schema, direction }) => [name, this.#fold(schema, name, direction)]),
    );
  }

  #collect(schema: Joi.Schema, direction: Direction): void {
    for (const part of partsOf(schema)) this.#collect(part, direction);
    refuseLoss(schema);
    const name = nameOf(schema);
    if (name === undefined) return;
    const bare = withoutUse(convert(schema, direction)).bare;
    const known = this.#named.get(name);
    if (known) {
      if (known.direction === direction && isDeepStrictEqual(known.schema, bare)) return;
      throw new Error(`two schemas of the document are called ${name}`);
    }
    const canonical = JSON.stringify([direction, bare]);
    const named = { name, schema: bare, canonical, direction };
    this.#named.set(name, named);
    this.#byForm.set(canonical, named);
  }

  /** @param inside the named part that is being written, which must not become a reference to itself */
  #fold(schema: JsonSchema, inside: string | null, direction: Direction): JsonSchema {
    const { bare, isNullable, rest } = withoutUse(schema);
    const named = this.#byForm.get(JSON.stringify([direction, bare]));
    if (named && named.name !== inside) {
      const ref = { $ref: `#/components/schemas/${named.name}` };
      return isNullable ? { anyOf: [ref, { type: 'null' }], ...rest } : { ...ref, ...rest };
    }
    return foldEach(schema, (part) => this.#fold(part, null, direction));
  }
}

/** What else than its form belongs to a place where a schema is used. */
function withoutUse(schema: JsonSchema): { bare: JsonSchema; isNullable: boolean; rest: JsonSchema } {
  const { default: fallback, description, ...bare } = schema;
  const rest = {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
  const { type } = bare;
  if (Array.isArray(type) && type.length === 2 && type.includes('null') && bare.enum === undefined) {
    return { bare: { ...bare, type: type.find((one) => one !== 'null') }, isNullable: true, rest };
  }
  return { bare, isNullable: false, rest };
}

interface StandardJsonSchema {
  readonly '~standard': {
    readonly jsonSchema: Record<'input' | 'output', (options: { target: string }) => JsonSchema>;
  };
}

function convert(schema: Joi.Schema, direction: Direction): JsonSchema {
  const { jsonSchema } = (schema as unknown as StandardJsonSchema)['~standard'];
  const written = jsonSchema[direction === 'request' ? 'input' : 'output']({ target: 'draft-2020-12' });
  return mend(written, direction);
}

function mend(schema: JsonSchema, direction: Direction): JsonSchema {
  const mended = foldEach(schema, (part) => mend(part, direction));
  const { type, enum: values, anyOf } = mended;
  // Joi leaves null out of the values that it lists.
  if (Array.isArray(values) && Array.isArray(type) && type.includes('null') && !values.includes(null)) {
    mended.enum = [...values, null];
  }
  // Joi forgets that empty text is allowed beside a pattern; that it is shows where no length is asked for.
  if (type === 'string' && typeof mended.pattern === 'string' && mended.minLength === undefined) {
    if (!new RegExp(mended.pattern, 'u').test('')) mended.pattern = `^$|${mended.pattern}`;
  }
  // A later release may say more, and whoever reads it must not break.
  if (direction === 'reply' && mended.additionalProperties === false) delete mended.additionalProperties;
  if (Array.isArray(anyOf) && anyOf.length === 1) {
    const { anyOf: _, ...around } = mended;
    return { ...anyOf[0], ...around };
  }
  return mended;
}

/** The same schema with each schema directly in it replaced. */
function foldEach(schema: JsonSchema, replace: (part: JsonSchema) => JsonSchema): JsonSchema {
  const isSchema = (value: unknown): value is JsonSchema =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const entries = Object.entries(schema).map(([keyword, value]) => {
    if (['properties', 'patternProperties'].includes(keyword) && isSchema(value)) {
      const parts = Object.entries(value).map(([key, part]) => [key, replace(part as JsonSchema)]);
      return [keyword, Object.fromEntries(parts)];
    }
    if (['items', 'additionalProperties', 'unevaluatedItems', 'contains', 'not'].includes(keyword)) {
      return [keyword, isSchema(value) ? replace(value) : value];
    }
    if (['anyOf', 'oneOf', 'allOf', 'prefixItems'].includes(keyword) && Array.isArray(value)) {
      return [keyword, value.map((part) => replace(part))];
    }
    return [keyword, value];
  });
  return Object.fromEntries(entries);
}

interface Terms {
  readonly keys?: { readonly schema: Joi.Schema }[] | null;
  readonly items?: Joi.Schema[];
  readonly ordered?: Joi.Schema[];
  readonly patterns?: { readonly rule: Joi.Schema }[] | null;
  readonly matches?: Match[];
  readonly metas?: { readonly name?: string }[];
}

interface Match {
  readonly schema?: Joi.Schema;
  readonly then?: Joi.Schema;
  readonly otherwise?: Joi.Schema;
}

function termsOf(schema: Joi.Schema): Terms {
  return schema.$_terms as Terms;
}

function nameOf(schema: Joi.Schema): string | undefined {
  return termsOf(schema).metas?.findLast(({ name }) => name !== undefined)?.name;
}

function partsOf(schema: Joi.Schema): Joi.Schema[] {
  const { keys, items, ordered, patterns, matches } = termsOf(schema);
  return [
    ...(keys ?? []).map((key) => key.schema),
    ...(items ?? []),
    ...(ordered ?? []),
    ...(patterns ?? []).map(({ rule }) => rule),
    ...(matches ?? []).flatMap((match) => [match.schema, match.then, match.otherwise]),
  ].filter((part) => part !== undefined);
}

/** JSON Schema knows no flags of an expression but the one for Unicode, which it always has. */
function refuseLoss(schema: Joi.Schema): void {
  const rules = (schema as unknown as { _rules: { name: string; args?: { regex?: RegExp } }[] })._rules;
  for (const { args } of rules) {
    if (args?.regex && !/^[uv]?$/.test(args.regex.flags)) {
      throw new Error(`${args.regex} cannot be written as JSON Schema: write it without flags`);
    }
  }
}
