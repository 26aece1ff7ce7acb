// Two servers that answer etcd's Status call as etcd does, over TLS with client certificates and without. A process of its
// own: jest's sandbox does not give every test file a whole `node:tls`.
//   node etcd-status-server.mjs KEY CERTIFICATE MESSAGE_HEX
// Prints their ports as JSON, and ends with its standard input.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureServer, createServer } from 'node:http2';

const [keyFile, certificateFile, message] = process.argv.slice(2);
const [key, cert] = [readFileSync(keyFile), readFileSync(certificateFile)];

function answer(stream, headers) {
  const isCall =
    headers[':path'] === '/etcdserverpb.Maintenance/Status' && headers['content-type'] === 'application/grpc';
  stream.respond({ ':status': isCall ? 200 : 404, 'content-type': 'application/grpc' });
  stream.end(isCall ? Buffer.from(message, 'hex') : undefined);
}

async function portOf(server) {
  server.on('stream', answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

const tls = await portOf(createSecureServer({ key, cert, ca: cert, requestCert: true, rejectUnauthorized: true }));
const plain = await portOf(createServer());
console.log(JSON.stringify([tls, plain]));
process.stdin.on('end', () => process.exit()).resume();
