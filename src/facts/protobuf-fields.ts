/** The fields of a protocol buffers message: numbers and byte strings; what follows something else is not read. */
export function fieldsOf(message: Buffer): ReadonlyMap<number, bigint | Buffer> {
  const fields = new Map<number, bigint | Buffer>();
  let at = 0;
  function varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 64n; shift += 7n) {
      const byte = message[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return BigInt.asUintN(64, value);
  }
  while (at < message.length) {
    const tag = Number(varint());
    const value = varint();
    if (tag % 8 === 0) fields.set(Math.floor(tag / 8), value);
    else if (tag % 8 === 2) fields.set(Math.floor(tag / 8), message.subarray(at, (at += Number(value))));
    else break;
  }
  return fields;
}
