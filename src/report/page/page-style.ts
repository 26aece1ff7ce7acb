/** The style of the page. It is in the page, and the page's policy knows it by its digest. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --back: #ffffff; --fore: #1c2026; --dim: #57606a; --line: #d0d7de; --soft: #f6f8fa;
  --good: #1a7f37; --watch: #8a5a00; --bad: #b3261e; --mark: #0b5cad;
  --added: #e6f4ea; --removed: #fdeceb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14181d; --fore: #e3e8ee; --dim: #9aa5b1; --line: #39424d; --soft: #1d232a;
    --good: #56c271; --watch: #e0ac4c; --bad: #ff8b82; --mark: #79b8ff;
    --added: #173322; --removed: #41201f;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 76rem; background: var(--back); color: var(--fore);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: .25rem 0 .75rem; padding-left: .75rem; border-left: .4rem solid var(--dim); }
h1.good { border-color: var(--good); } h1.watch { border-color: var(--watch); } h1.bad { border-color: var(--bad); }
h2 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
h3 { font-size: 1rem; margin: 1rem 0 .35rem; }
p { margin: .4rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .9rem; margin: 0; }
dt { color: var(--dim); } dd { margin: 0; min-width: 0; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .5rem .7rem; margin: .35rem 0; overflow-x: auto; }
pre.diff span { display: block; min-width: max-content; }
pre .add { background: var(--added); } pre .del { background: var(--removed); } pre .at { color: var(--mark); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; min-width: 38rem; overflow-wrap: break-word; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--dim); font-weight: 600; } td.name { white-space: nowrap; } td.number { text-align: right; padding-right: 1.5rem; } th.number { text-align: right; padding-right: 1.5rem; }
.good { color: var(--good); } .watch { color: var(--watch); } .bad { color: var(--bad); } .dim { color: var(--dim); }
h1.good, h1.watch, h1.bad { color: var(--fore); }
.step { margin: .15rem 0; padding-left: 1.1rem; }
details.step { padding-left: 0; } summary { cursor: pointer; padding-left: .1rem; }
a, summary { color: inherit; }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; border-radius: 3px; }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .5rem 0; }
input, button { font: inherit; color: inherit; background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .25rem .6rem; }
input { flex: 1 1 14rem; min-width: 0; }
[hidden] { display: none; }
svg { display: block; max-width: max(100%, 40rem); height: auto; font: 12px system-ui, sans-serif; fill: var(--fore); }
.box rect { fill: var(--soft); stroke: var(--dim); stroke-width: 1.2; }
.box.good rect { stroke: var(--good); } .box.watch rect { stroke: var(--watch); } .box.bad rect { stroke: var(--bad); stroke-width: 2; }
.box text, text.column { text-anchor: middle; } .box .title { font-weight: 600; } .box .detail, text.column, .tick { fill: var(--dim); }
.link { fill: none; stroke: var(--dim); stroke-width: 1.5; } .link.dashed { stroke-dasharray: 4 4; }
.axis { stroke: var(--line); } .bar.look { fill: var(--mark); } .bar.done { fill: var(--good); } .bar.failed { fill: var(--bad); } .bar.undone { fill: var(--watch); } .bar.gate { fill: none; stroke: var(--dim); }
.key::before { content: ''; display: inline-block; width: .8em; height: .8em; margin-right: .3em; border: 1px solid var(--dim); }
.key.look::before { background: var(--mark); } .key.done::before { background: var(--good); } .key.failed::before { background: var(--bad); } .key.undone::before { background: var(--watch); }
@media print { form { display: none; } body { max-width: none; } }
`;
