// What reflection shows. The descriptors that the loader makes are enough for JavaScript alone: names of types are relative,
// files do not name what they need, entries of maps and optional fields are not marked as other languages ask for it. Here
// they become what a protocol compiler would have made. Knows nothing of any one message.

import type { MessageTypeDefinition, PackageDefinition } from '@grpc/proto-loader';

interface FieldProto {
  name: string;
  label: string;
  typeName?: string;
  oneofIndex?: number;
  proto3Optional?: boolean;
  options?: object | undefined;
}

interface MessageProto {
  name: string;
  field?: FieldProto[];
  nestedType?: MessageProto[];
  enumType?: { name: string }[];
  oneofDecl?: { name: string }[];
}

interface FileProto {
  name: string;
  package: string;
  dependency?: string[];
  messageType?: MessageProto[];
  enumType?: { name: string }[];
}

type FileCodec = MessageTypeDefinition<FileProto, FileProto>;

/** Where compilers have the types of their own that a contract may use. */
const KNOWN_FILES: Readonly<Record<string, string>> = {
  'google.protobuf': 'google/protobuf/timestamp.proto',
};

/** @param codec of `google.protobuf.FileDescriptorProto` */
export function shownDefinition(loaded: PackageDefinition, codec: FileCodec): PackageDefinition {
  const files = new Map<string, FileProto>();
  for (const { fileDescriptorProtos } of Object.values(loaded)) {
    if (!Array.isArray(fileDescriptorProtos)) continue;
    for (const bytes of fileDescriptorProtos) {
      const file = codec.deserialize(bytes);
      if (!files.has(file.name)) files.set(file.name, file);
    }
  }
  const homes = homesOf(files.values());
  const fileDescriptorProtos = [...files.values()].map((file) =>
    Buffer.from(codec.serialize(completed(file, homes))),
  );
  return { shown: { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos } } as never;
}

function fileName(file: FileProto): string {
  return KNOWN_FILES[file.package] ?? file.name;
}

/** The file of each type. */
function homesOf(files: Iterable<FileProto>): Map<string, string> {
  const homes = new Map<string, string>();
  for (const file of files) {
    const note = (
      scope: string,
      { messages, enums }: { messages?: MessageProto[]; enums?: { name: string }[] },
    ) => {
      for (const { name } of [...(messages ?? []), ...(enums ?? [])]) {
        homes.set(`${scope}.${name}`, fileName(file));
      }
      for (const { name, nestedType = [], enumType = [] } of messages ?? []) {
        note(`${scope}.${name}`, { messages: nestedType, enums: enumType });
      }
    };
    note(file.package, { messages: file.messageType ?? [], enums: file.enumType ?? [] });
  }
  return homes;
}

function completed(file: FileProto, homes: ReadonlyMap<string, string>): FileProto {
  const needed = new Set<string>();
  const whole = (scope: string, name: string): string => {
    // From the inside out, as a compiler looks.
    for (let at = scope; ; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
      const full = at === '' ? name : `${at}.${name}`;
      const home = homes.get(full);
      if (home !== undefined) {
        if (home !== fileName(file)) needed.add(home);
        return `.${full}`;
      }
      if (at === '') throw new Error(`the contract names ${name} in ${scope}, which is not there`);
    }
  };
  const messageType = file.messageType?.map((message) =>
    completedMessage(message, `${file.package}.${message.name}`, whole),
  );
  return { ...file, name: fileName(file), ...(messageType ? { messageType } : {}), dependency: [...needed] };
}

function completedMessage(
  message: MessageProto,
  scope: string,
  whole: (scope: string, name: string) => string,
): MessageProto {
  const { field = [], nestedType = [], oneofDecl = [] } = message;
  const entries = new Map(nestedType.map(({ name }) => [name, name]));
  for (const { name, typeName, label } of field) {
    if (typeName !== undefined && entries.has(typeName) && label === 'LABEL_REPEATED') {
      entries.set(typeName, entryName(name));
    }
  }
  // Those of single optional fields come after the real ones.
  const isSynthetic = ({ name }: { name: string }) => name.startsWith('_');
  const ordered = [...oneofDecl.filter((one) => !isSynthetic(one)), ...oneofDecl.filter(isSynthetic)];
  return {
    ...message,
    oneofDecl: ordered,
    nestedType: nestedType.map((nested) => ({
      ...completedMessage(nested, `${scope}.${nested.name}`, whole),
      name: entries.get(nested.name) ?? nested.name,
    })),
    field: field.map(({ options: _, ...own }) => {
      const entry = own.typeName === undefined ? undefined : entries.get(own.typeName);
      const of = own.oneofIndex === undefined ? undefined : oneofDecl[own.oneofIndex];
      return {
        ...own,
        ...(own.typeName === undefined
          ? {}
          : { typeName: entry === undefined ? whole(scope, own.typeName) : `.${scope}.${entry}` }),
        ...(of ? { oneofIndex: ordered.indexOf(of), proto3Optional: isSynthetic(of) } : {}),
      };
    }),
  };
}

/** Of a map's field, as compilers name it. */
function entryName(field: string): string {
  const camel = field.replace(/(?:^|_)([a-z0-9])/g, (_, first: string) => first.toUpperCase());
  return `${camel}Entry`;
}
