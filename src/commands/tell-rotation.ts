import type { EventSink } from '../model/events.js';
import type { AuthorityView } from '../pki/authority.js';
import { quote } from '../shell/quote.js';

/** Tells a person, with any other verb, that a rotation is in progress: the verb goes by the store, and takes nothing back. */
export function tellRotation(authority: AuthorityView, inventory: string, emit: EventSink): void {
  const rotation = authority.rotation?.();
  if (rotation === undefined) return;
  const { signing, trusted } = rotation;
  const whom = trusted === 'both' ? 'both authorities' : `the ${trusted} authority alone`;
  emit({
    type: 'notice',
    message: [
      `a rotation of the certificate authority is in progress: hosts are to trust ${whom}, and the ${signing} one signs. What is planned here goes by that, and takes no stage back`,
      `which stage is next: provision ca rotate ${quote(inventory)} --dry-run`,
    ].join('\n'),
  });
}
