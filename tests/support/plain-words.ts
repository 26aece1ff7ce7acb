/** A phrase that a native speaker of the field would stumble at, and what the field says instead. */
export interface Stumble {
  readonly phrase: RegExp;
  readonly say: string;
}

/** A person, a program or a kernel is told something; a node, a run or a warning is reported. */
const TOLD: Stumble = {
  phrase: /\b(is|are|was|were) told\b(?! (to|by|so|what|how|which|of|apart|from|otherwise)\b)/i,
  say: 'is reported, is shown',
};

/** Matches the words across line breaks too: {@link stumblesIn} has made one line of the text. */
const STUMBLES: readonly Stumble[] = [
  { phrase: /\bmend(s|ed|ing)?\b/i, say: 'fix, repair' },
  { phrase: /\bothers made\b|\bmade by others\b/i, say: 'existing cluster; made by another tool' },
  { phrase: /\bstay(s|ed)? shut\b/i, say: 'does not open, did not open' },
  { phrase: /\bcan['’]?(no)?t be known\b/i, say: 'known after apply, unknown' },
  { phrase: /\b(change|host|nothing|write)s? (was |were |is )?in hand\b/i, say: 'in progress' },
  { phrase: /\bhalf[ -]done\b(?! write)/i, say: 'incomplete, unfinished' },
  { phrase: /\bwhole again\b|\bnot whole\b/i, say: 'healthy again, recovered' },
  { phrase: /\b(is|are|was|were) well\b(?! beh| below)|\bwell again\b/i, say: 'healthy' },
  { phrase: /\bwho is away\b/i, say: 'unreachable hosts' },
  { phrase: /\bsigned elsewhere\b/i, say: 'signed by an external CA' },
  { phrase: /\bfirst start\b/i, say: 'bootstrap' },
  { phrase: /\bstays so\b|\bdone as planned\b/i, say: 'completed, not rolled back' },
  { phrase: /\bto and fro\b/i, say: 'back and forth' },
  { phrase: /\bcheck-up\b|\bchecks? up\b/i, say: 'health check' },
  { phrase: /\bbroken off\b/i, say: 'interrupted' },
  { phrase: /\bsomebody\b/i, say: 'someone' },
  { phrase: /\banew\b/i, say: 'again' },
  { phrase: /\blacks\b/i, say: 'has no, is missing' },
  TOLD,
  { phrase: /\bin the end\b/i, say: 'last, at the end' },
  { phrase: /\b(connections|attempts) at most\b/i, say: 'maximum connections' },
  {
    phrase: /(?<!\d)\b1 (changes|hosts|members|batches|days|lines|resources|plays|keys|certificates)\b/,
    say: 'counted(1, …)',
  },
];

/** One line of a text whose lines break anywhere, without the marks of comments. */
function unwrapped(text: string): string {
  return text.replaceAll(/\s*\n\s*(?:\*\/?|\/\/|#|>|\|)?\s*/g, ' ').replaceAll(/\s+/g, ' ');
}

/** Each stumble of a text with its surroundings and the better words: `… who is away …: say "unreachable hosts"`. */
export function stumblesIn(text: string): string[] {
  return found(text, STUMBLES);
}

/** The same of {@link TOLD} alone: names of tests say little else that people read. */
export function toldIn(text: string): string[] {
  return found(text, [TOLD]);
}

function found(text: string, stumbles: readonly Stumble[]): string[] {
  const line = unwrapped(text);
  return stumbles.flatMap(({ phrase, say }) =>
    [...line.matchAll(new RegExp(phrase, `g${phrase.flags}`))].map(
      ({ index, 0: words }) => `…${line.slice(Math.max(0, index - 30), index + words.length + 20)}…: say "${say}"`,
    ),
  );
}
