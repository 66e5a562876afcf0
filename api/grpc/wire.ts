// From a body as REST has it to a message of the contract, by the types of its fields: a null is an absent field, a time
// (ISO 8601) is a Timestamp, a word is a value of an enum. What users name (keys of maps, texts) stays as it is. Pure.

import type { PackageDefinition } from '@grpc/proto-loader';
import { enumName } from '../../shared/contracts/grpc.ts';

type Fields = Record<string, unknown>;

export interface Converter {
  convert(body: object): object;
  /** Dotted names of what the message has no field for. */
  missing(body: object): string[];
}

/** The part of a descriptor that this needs. */
interface MessageDescriptor {
  readonly field: readonly {
    readonly name: string;
    readonly label: string;
    readonly type: string;
    readonly typeName: string;
  }[];
  readonly nestedType: readonly (MessageDescriptor & { readonly name: string })[];
}

interface FieldRule {
  readonly isRepeated: boolean;
  readonly isMap: boolean;
  /** Of one value. Null: it stays as it is. */
  readonly turn: ((value: unknown) => unknown) | null;
  /** For fields that are messages. */
  readonly inner: Converter | null;
}

const TIMESTAMP = 'google.protobuf.Timestamp';

/** @param type a message of `cloudai.v1` */
export function converterOf(types: PackageDefinition, type: string): Converter {
  const descriptor = types[`cloudai.v1.${type}`]?.type as MessageDescriptor | undefined;
  if (!descriptor) throw new Error(`the contract has no message ${type}`);
  const rules = new Map<string, FieldRule>(
    descriptor.field.map((field) => [field.name, ruleOf(types, descriptor, field)]),
  );
  return {
    convert: (body) => {
      const message: Fields = {};
      for (const [name, value] of Object.entries(body)) {
        const rule = rules.get(name);
        if (rule && value !== null && value !== undefined) message[name] = turned(rule, value);
      }
      return message;
    },
    missing: (body) =>
      Object.entries(body).flatMap(([name, value]) => {
        const rule = rules.get(name);
        if (!rule) return [name];
        if (!rule.inner || value === null || value === undefined) return [];
        const { inner } = rule;
        const all = rule.isMap ? Object.values(value) : rule.isRepeated ? (value as object[]) : [value];
        return all.flatMap((one: object) => inner.missing(one).map((below) => `${name}.${below}`));
      }),
  };
}

function turned({ turn, isMap, isRepeated }: FieldRule, value: unknown): unknown {
  if (turn === null) return value;
  if (isMap) return Object.fromEntries(Object.entries(value as Fields).map(([key, one]) => [key, turn(one)]));
  return isRepeated ? (value as unknown[]).map(turn) : turn(value);
}

function ruleOf(
  types: PackageDefinition,
  owner: MessageDescriptor,
  { label, type, typeName }: MessageDescriptor['field'][number],
): FieldRule {
  const isRepeated = label === 'LABEL_REPEATED';
  const entry = owner.nestedType.find(({ name }) => name === typeName);
  if (entry) {
    const value = entry.field.find(({ name }) => name === 'value');
    return value
      ? { ...ruleOf(types, entry, value), isMap: true }
      : { isRepeated, isMap: true, turn: null, inner: null };
  }
  const plain = { isRepeated, isMap: false, inner: null };
  if (typeName === TIMESTAMP) return { ...plain, turn: (value) => timestamp(String(value)) };
  if (type === 'TYPE_ENUM') return { ...plain, turn: (value) => enumName(typeName, String(value)) };
  if (type !== 'TYPE_MESSAGE') return { ...plain, turn: null };
  const inner = converterOf(types, typeName);
  return { ...plain, turn: (value) => inner.convert(value as object), inner };
}

function timestamp(iso: string): { seconds: number; nanos: number } {
  const ms = Date.parse(iso);
  const seconds = Math.floor(ms / 1_000);
  return { seconds, nanos: (ms - seconds * 1_000) * 1_000_000 };
}
