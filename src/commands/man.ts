import type { Command } from 'commander';
import { EXIT } from '../model/errors.js';
import type { ManVerb } from '../report/man-page.js';
import { VERSION } from '../model/version.js';
import type { Context } from './context.js';
import { programOf } from './program-of.js';

/** `provision man`: the manual page, made from the help of all verbs. */
export function defineManCommand(verb: Command, context: Context): void {
  verb.action(async () => {
    const program = programOf(verb);
    const { renderManPage } = await import('../report/man-page.js');
    const verbs = program.commands.flatMap((each) => verbsBelow(each, program));
    context.stdout.write(renderManPage({ version: VERSION, summary: program.description(), verbs }));
    context.exit(EXIT.done);
  });
}

/** A verb and those below it, but for what help does not show. */
function verbsBelow(verb: Command, above: Command): readonly ManVerb[] {
  if (!above.createHelp().visibleCommands(above).includes(verb)) return [];
  return [describe(verb), ...verb.commands.flatMap((each) => verbsBelow(each, verb))];
}

function describe(verb: Command): ManVerb {
  const help = verb.createHelp();
  const shown = help.visibleArguments(verb).filter(({ description }) => description !== '');
  return {
    usage: help.commandUsage(verb),
    description: help.commandDescription(verb),
    terms: [
      ...shown.map((each) => ({ term: help.argumentTerm(each), meaning: help.argumentDescription(each) })),
      ...help
        .visibleOptions(verb)
        .filter(({ long }) => long !== '--help')
        .map((each) => ({ term: help.optionTerm(each), meaning: help.optionDescription(each) })),
    ],
    below: helpBelow(verb),
  };
}

/** What `addHelpText('after', …)` has added: commander has no other way to ask for it. */
function helpBelow(verb: Command): string {
  let whole = '';
  const before = verb.configureOutput();
  verb.configureOutput({ ...before, writeOut: (text) => (whole += text) });
  verb.outputHelp();
  verb.configureOutput(before);
  return whole.replace(verb.helpInformation(), '').trim();
}
