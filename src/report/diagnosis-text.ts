import type { DiagnosisJson } from '../diagnosis/diagnosis-schema.js';
import { createStyle, type Style } from './style.js';
import { printable } from './terminal-text.js';

type Cause = DiagnosisJson['causes'][number];

/**
 * A diagnosis for people: each cause with its evidence and the one next command, the root first, and how etcd is at the end.
 * @param options `colour`: whether to colour it
 * @returns lines, with a newline at the end
 */
export function renderDiagnosis(diagnosis: DiagnosisJson, options: { readonly colour: boolean }): string {
  const style = createStyle(options);
  const runs = diagnosis.runs.flatMap(({ host, evidence, next }) => [
    `${style.watch('!')} ${printable(`${host}: ${evidence}`)}`,
    `    → ${printable(next)}`,
  ]);
  const causes = diagnosis.causes.flatMap((cause) => [...renderCause(cause, style), '']);
  return `${[...runs, ...causes, renderState(diagnosis, style)].join('\n')}\n`;
}

function renderCause({ cause, verdict, summary, evidence, next }: Cause, style: Style): readonly string[] {
  const colour = (text: string): string => (verdict === 'fail' ? style.bad(text) : style.watch(text));
  const width = Math.max(0, ...evidence.map(({ host }) => host?.length ?? 0));
  return [
    `${colour(verdict === 'fail' ? '✖' : '!')} ${style.bold(cause)}  ${colour(printable(summary))}`,
    ...evidence.map(({ host, text }) => `    ${printable((host ?? '').padEnd(width))}  ${printable(text)}`.trimEnd()),
    `    → ${printable(next)}`,
  ];
}

function renderState({ state, healthy, members, quorum, causes, inventory }: DiagnosisJson, style: Style): string {
  const figures = `${healthy} of ${members} members healthy, a quorum is ${quorum}`;
  const [first] = causes;
  switch (state) {
    case 'healthy': {
      const none = `No cause found. If clients still fail: provision verify ${printable(inventory)}`;
      return `${style.good('etcd is healthy:')} ${figures}. ${first === undefined ? none : 'The causes above are no outage yet.'}`;
    }
    case 'degraded':
      return `${style.watch('etcd serves, but not as it should:')} ${figures}. First: ${first?.cause ?? 'unexplained'}`;
    case 'down':
      return `${style.bad('etcd does not serve:')} ${figures}. First: ${first?.cause ?? 'unexplained'}`;
  }
}
