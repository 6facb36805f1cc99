// Runs races and writes their sections of BENCHMARKS.md.
//
//	node bench.js [page,node,native,training,growth]
import * as agreement from './agreement.js';
import * as growth from './growth.js';
import * as native from './native.js';
import * as node from './node.js';
import { open } from './ours.js';
import * as page from './page.js';
import { idle, machine, write } from './report.js';
import * as training from './training.js';

const races = { page, node, native, training, growth };
const sections = { ...races, agreement }; // which needs data, so that it runs when asked alone

const asked = (process.argv[2] || Object.keys(races).join()).split(',');
for (const name of asked) {
  if (!sections[name]) throw new Error(`there is no race named ${name}; want some of ${Object.keys(sections).join()}`);
}

const build = open();
try {
  for (const name of asked) {
    const { title, run } = sections[name];
    const before = await idle();
    const { versions, text } = await run(build);
    const section = `${machine(versions)} ${before}\n\n${text}`;
    console.log(`\n## ${title}\n\n${section}`);
    write(Object.values(sections).map((race) => race.title), new Map([[title, section]]));
  }
} finally {
  build.close();
}
