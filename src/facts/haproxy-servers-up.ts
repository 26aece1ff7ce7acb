import type { Fact } from '../model/remote.js';

/**
 * Where HAProxy answers for itself, on 127.0.0.1 only: `/health` for keepalived, `/members` for the gates. Registered for
 * nothing (IANA), and below Linux's ephemeral ports (32768).
 */
export const HAPROXY_HEALTH_PORT = 23790;

/** Key: port of HAProxy's local health frontend. How many etcd members it sees up; `undefined` when it is silent. */
export const haproxyServersUp: Fact<number | undefined> = {
  name: 'haproxy-servers-up',
  // bash's /dev/tcp needs no program that a minimal Debian lacks.
  script: (ports) =>
    ports
      .map(
        (port) =>
          `printf 'N '; timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/${Number(port)} && printf "GET /members HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3' 2>/dev/null | tail -n 1 | tr -dc 0-9; echo`,
      )
      .join('\n'),
  parse(stdout, ports) {
    const lines = stdout.split('\n').filter((line) => line.startsWith('N '));
    return new Map(
      ports.map((port, index) => {
        const text = lines[index]?.slice(2) ?? '';
        return [port, text === '' ? undefined : Number(text)];
      }),
    );
  },
};
