// A Protocol Buffers schema, as whoever reads messages by it needs it: the texts of .proto files, read by protobufjs.
import protobuf from 'protobufjs';

export type ProtobufType = protobuf.Type;

/** The message type in question, or in words why there is none. */
export type ProtobufSchema = { readonly type: ProtobufType } | { readonly problem: string };

/**
 * @param texts of one or several files; what they import of each other is found, and Google's own types are known
 * @param message the full name of a type, such as `shop.Order`, or its index as Glue's serializers write it
 */
export function protobufSchema(texts: readonly string[], message: string | number): ProtobufSchema {
  try {
    const root = new protobuf.Root();
    const imports = texts.flatMap((text) => protobuf.parse(text, root, { keepCase: true }).imports ?? []);
    // What protobufjs knows of Google's own files. The texts themselves stand for all others.
    for (const file of new Set(imports)) root.addJSON(protobuf.common.get(file)?.nested ?? {});
    root.resolveAll();
    const type = typeof message === 'number' ? messagesOf(root)[message] : foundAs(root, message);
    if (type !== undefined) return { type };
    const names = messagesOf(root).flatMap((one) => one?.fullName.slice(1) ?? []);
    const asked = typeof message === 'number' ? `at index ${message}` : message;
    return {
      problem: `the schema has no message ${asked}; it has ${names.slice(0, 20).join(', ') || 'none'}`,
    };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function foundAs(root: protobuf.Root, name: string): protobuf.Type | undefined {
  const one = root.lookup(name.startsWith('.') ? name : `.${name}`);
  return one instanceof protobuf.Type ? one : undefined;
}

/**
 * All messages of the schema but Google's own, in the order of their full names: their places are Glue's indices.
 * A map has a message of its own for its entries, which is counted and is none to send.
 * awslabs/aws-glue-schema-registry, `MessageIndexFinder`. Java compares the units of UTF-16, as `<` does.
 */
function messagesOf(root: protobuf.Root): (protobuf.Type | undefined)[] {
  const all: { readonly name: string; readonly type?: protobuf.Type }[] = [];
  const walk = (within: protobuf.NamespaceBase) => {
    for (const one of within.nestedArray) {
      if (one instanceof protobuf.Type) {
        all.push({ name: one.fullName, type: one });
        const maps = one.fieldsArray.filter((field) => field instanceof protobuf.MapField);
        for (const field of maps) all.push({ name: `${one.fullName}.${entryNameOf(field.name)}` });
      }
      if (one instanceof protobuf.Namespace && one.fullName !== '.google') walk(one);
    }
  };
  walk(root);
  return all.sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ type }) => type);
}

/** `order_notes` becomes `OrderNotesEntry`. protobuf's own compiler, `MapEntryName`. */
function entryNameOf(field: string): string {
  return `${field.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase()).replaceAll('_', '')}Entry`;
}
