//! The style sheet: the system's own fonts, light and dark, wide and narrow.

pub const SHEET: &str = r#":root {
  color-scheme: light dark;
  --paper: light-dark(#fbfaf8, #16181b);
  --card: light-dark(#ffffff, #1e2125);
  --ink: light-dark(#1c1e21, #e8e6e3);
  --quiet: light-dark(#5b6068, #a3a8b0);
  --line: light-dark(#d9d6d0, #3a3f46);
  --link: light-dark(#0b57a4, #8ab8f0);
  --good: light-dark(#17663a, #7fd0a0);
  --good-paper: light-dark(#e5f3ea, #17301f);
  --bad: light-dark(#a3211b, #f2a29b);
  --bad-paper: light-dark(#fbe9e7, #3a1a18);
  --odd: light-dark(#7a4a00, #ffcf7d);
  --odd-paper: light-dark(#fff0d0, #40300c);
}
*, *::before, *::after { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 76rem; padding: 0 1.25rem 3rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
}
header {
  display: flex; flex-wrap: wrap; gap: .25rem 2rem; align-items: baseline; justify-content: space-between;
  padding: .9rem 0; border-bottom: 1px solid var(--line);
}
header p { margin: 0; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
nav a[aria-current] { color: var(--ink); font-weight: 600; text-decoration: none; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: .2rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 1.5rem 0 1rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1.05rem; margin: 0 0 .75rem; font-weight: 400; }
code, pre, .raw { font-family: ui-monospace, monospace; font-size: .9em; }
code, .shown { overflow-wrap: anywhere; }
.shown { white-space: break-spaces; }
.short { white-space: nowrap; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .75rem; overflow-x: auto; }
.raw { background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .75rem; }
.odd {
  background: var(--odd-paper); color: var(--odd); border: 1px solid currentColor; border-radius: .2rem;
  font: .75em ui-monospace, monospace; padding: 0 .2em; margin: 0 .1em; white-space: nowrap;
}
.none, .drawn, .small { color: var(--quiet); }
.small { font-size: .9rem; }
.count {
  background: var(--line); border-radius: 1rem; font-size: .85rem; font-weight: 600; padding: .1rem .6rem;
  vertical-align: .1em;
}
.state, .done, .request {
  background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 0 0 1rem;
}
.state { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; justify-content: space-between; }
.state p, .done p { margin: 0; }
.done, .sound { border-color: var(--good); background: var(--good-paper); }
.withdrawn.state { border-color: var(--bad); background: var(--bad-paper); }
.facts { margin: 0 0 1rem; }
.facts div { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .15rem 0; }
.facts dt { color: var(--quiet); flex: 0 0 9rem; }
.facts dd { margin: 0; flex: 1 1 16rem; min-width: 0; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
caption { text-align: left; color: var(--quiet); padding: 0 0 .4rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); }
tbody th { font-weight: 400; }
thead th { color: var(--quiet); font-size: .85rem; font-weight: 600; }
.findings tbody th { font-weight: 600; white-space: nowrap; }
.findings td { min-width: 5rem; }
.verdict { white-space: nowrap; font-weight: 600; }
.holds .verdict { color: var(--good); }
.fails .verdict { color: var(--bad); }
.ledger time { white-space: nowrap; }
.standing { font-weight: 600; }
.approved, .released, .restored { color: var(--good); }
.denied, .revoked, .refused .standing, .standing.withdrawn, .standing.refused, .damaged { color: var(--bad); }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1rem; }
form { margin: 0; }
button, .button {
  display: inline-block; min-height: 2.75rem; padding: .5rem 1.25rem; border-radius: .4rem; cursor: pointer;
  border: 1px solid var(--line); background: var(--card); color: var(--ink);
  font: inherit; font-weight: 600; text-decoration: none; white-space: nowrap;
}
button:hover, .button:hover { border-color: currentColor; }
.giving { background: var(--good-paper); color: var(--good); border-color: currentColor; }
.taking { background: var(--bad-paper); color: var(--bad); border-color: currentColor; }
td button { min-height: 2.25rem; padding: .3rem .9rem; }
.turns, details { margin: 1rem 0; }
ul.refused { padding-left: 1.25rem; }
ul.refused li { margin: .4rem 0; }
ul.refused details { margin: .25rem 0; }
.aloud {
  position: absolute; width: 1px; height: 1px; margin: -1px; padding: 0; border: 0; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
@media (max-width: 46rem) {
  body { padding: 0 .9rem 2rem; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, caption, tbody, tr, th[scope="row"], td { display: block; width: auto; }
  tr { border-bottom: 1px solid var(--line); padding: .6rem 0; }
  th, td { border: 0; padding: .1rem 0; }
  td::before { content: attr(data-name) ": "; color: var(--quiet); }
  .ledger th[scope="row"]::before { content: "Entry "; }
  td.damaged::before { content: none; }
  .buttons form, .buttons button, .buttons .button { flex: 1 1 8rem; width: 100%; text-align: center; }
}
"#;
