import { RemoteError } from '../model/errors.js';
import type { Command, Output, Transport } from '../model/remote.js';

/** The last lines of a failed command that a person is shown. */
const OUTPUT_LINES = 20;

/**
 * Runs a command that must succeed.
 * @throws RemoteError naming the host, the command and its last output
 */
export async function runOrFail(command: Command, transport: Transport): Promise<Output> {
  const output = await transport.run(command);
  if (output.status === 0) return output;
  throw new RemoteError({
    code: 'command-failed',
    host: transport.host,
    command: command.summary,
    status: output.status,
    message: `${transport.host}: ${command.summary}: ${describeStatus(output.status)}`,
    output: lastLines(output.stderr.trim() === '' ? output.stdout : output.stderr),
  });
}

function describeStatus(status: number): string {
  return status === 124 ? 'timed out' : `ended with status ${status}`;
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-OUTPUT_LINES).join('\n');
}
