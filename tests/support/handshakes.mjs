// usage: node handshakes.mjs CERTIFICATE KEY CA GAP_MS
// A TLS server that reads as etcd does: the certificate, then the key, each by its path, at every handshake (etcd's
// client/pkg/tlsutil, NewCert), and clients that connect to it until stdin ends. Prints {"ok": n, "failed": n}.
// Between its two reads the server rests GAP_MS, so that a swap which can fall between them does.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';

const [certificate, key, ca, gap] = process.argv.slice(2);
const trusted = await readFile(ca);
const counts = { ok: 0, failed: 0 };

async function readAsEtcd() {
  const cert = await readFile(certificate);
  await sleep(Number(gap));
  return tls.createSecureContext({ cert, key: await readFile(key) });
}

const server = tls.createServer({
  SNICallback: (_, done) => readAsEtcd().then((context) => done(null, context), done),
});
server.on('tlsClientError', () => undefined);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

function handshake() {
  const { port } = server.address();
  return new Promise((resolve) => {
    const socket = tls.connect({ host: '127.0.0.1', port, servername: 'localhost', ca: trusted });
    const end = (result) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('secureConnect', () => end('ok'));
    socket.once('error', () => end('failed'));
    socket.once('close', () => end('failed'));
  });
}

let working = true;
process.stdin.on('end', () => (working = false)).resume();
async function client() {
  while (working) counts[await handshake()] += 1;
}
process.stdout.write('ready\n');
await Promise.all([client(), client(), client(), client()]);
server.close();
process.stdout.write(`${JSON.stringify(counts)}\n`);
