import type { Fact } from '../../model/remote.js';

/** Key: the port where nginx answers for itself on 127.0.0.1, as text. Whether it reports that it is healthy. */
export const nginxAnswers: Fact<boolean> = {
  name: 'nginx-answers',
  // bash's /dev/tcp needs no program that a minimal Debian does not have.
  script: (ports) =>
    ports
      .map(
        (port) =>
          `echo N; timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/${Number(port)} && printf "GET /health HTTP/1.0\\r\\n\\r\\n" >&3 && head -n 1 <&3' 2>/dev/null; echo`,
      )
      .join('\n'),
  parse(stdout, ports) {
    const blocks = stdout.split(/^N$/m).slice(1);
    return new Map(ports.map((port, index) => [port, /^HTTP\/1\.\d 200 /m.test(blocks[index] ?? '')]));
  },
};
