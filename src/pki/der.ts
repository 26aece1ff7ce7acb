/** One element of DER (X.690): what Node and the x509 library do not tell of a certificate is read from it. */
export interface DerElement {
  /** The identifier octet: `0x30` for a SEQUENCE, `0x82` for a context tag 2. */
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly raw: Buffer;
}

/**
 * The elements of DER, one after another.
 * @param bytes the content of a constructed element, or a whole text of DER
 * @throws Error when an element is cut off, or of a form that certificates do not have
 */
export function readDer(bytes: Buffer): readonly DerElement[] {
  const elements: DerElement[] = [];
  let at = 0;
  while (at < bytes.length) {
    const { start, end } = boundsOf(bytes, at);
    if (end > bytes.length) throw new Error('DER is cut off');
    const raw = bytes.subarray(at, end);
    elements.push({ tag: bytes[at] ?? 0, content: bytes.subarray(start, end), raw });
    at = end;
  }
  return elements;
}

/** Where the content of the element at `at` begins and ends. */
function boundsOf(bytes: Buffer, at: number): { readonly start: number; readonly end: number } {
  const first = bytes[at + 1];
  if (first === undefined || first === 0x80 || first > 0x84) throw new Error('DER has no such length');
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const octets = first & 0x7f;
  const start = at + 2 + octets;
  if (start > bytes.length) throw new Error('DER is cut off');
  return { start, end: start + bytes.readUIntBE(at + 2, octets) };
}

/** One element of DER. */
export function writeDer(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const octets = length > 0xff ? 2 : 1;
  if (length > 0xffff) throw new Error(`${length} bytes are more than one element of a certificate holds`);
  const head = Buffer.alloc(2 + octets);
  head[0] = tag;
  head[1] = 0x80 | octets;
  head.writeUIntBE(length, 2, octets);
  return Buffer.concat([head, content]);
}
