// Runs races and writes their sections of BENCHMARKS.md.
//
//	node bench.js [page,node,native,training,growth]
import * as growth from './growth.js';
import * as native from './native.js';
import * as node from './node.js';
import { open } from './ours.js';
import * as page from './page.js';
import { idle, machine, write } from './report.js';
import * as training from './training.js';

const races = { page, node, native, training, growth };

const asked = (process.argv[2] || Object.keys(races).join()).split(',');
for (const name of asked) {
  if (!races[name]) throw new Error(`there is no race named ${name}; want some of ${Object.keys(races).join()}`);
}

const build = open();
try {
  for (const name of asked) {
    const { title, run } = races[name];
    const before = await idle();
    const { versions, text } = await run(build);
    const section = `${machine(versions)} ${before}\n\n${text}`;
    console.log(`\n## ${title}\n\n${section}`);
    write(Object.values(races).map((race) => race.title), new Map([[title, section]]));
  }
} finally {
  build.close();
}
