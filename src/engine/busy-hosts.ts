import type { Connector, Transport } from '../model/remote.js';

/** The same ways to hosts, for commands that change them: each has its host for itself (`Command.alone`). */
export function oneAtATime(connector: Connector): Connector {
  return {
    connect: async (host) => ofOne(await connector.connect(host)),
    close: () => connector.close(),
  };
}

function ofOne(transport: Transport): Transport {
  return {
    host: transport.host,
    run: (command) => transport.run({ ...command, alone: true }),
    download: (command, intake) => transport.download(command, intake),
    close: () => transport.close(),
  };
}
