// Runs races and writes their sections of BENCHMARKS.md:
//
//	node bench.js [page,node,native,training,growth]
//
// A race that fails leaves its section as it was; the others run all the same.
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
const titles = Object.values(sections).map(({ title }) => title);

const asked = (process.argv[2] || Object.keys(races).join()).split(',');
const unknown = asked.filter((name) => !sections[name]);
if (unknown.length > 0) {
  console.error(`There is no race named ${unknown.join(' or ')}; want some of ${Object.keys(races).join()}, with commas between.`);
  process.exit(1);
}

const build = open();
try {
  for (const name of asked) {
    const { title, run } = sections[name];
    console.error(`Racing: ${title} ...`);
    try {
      const before = await idle();
      const { versions, text } = await run(build);
      const section = `${machine(versions)} ${before}\n\n${text}`;
      console.log(`\n## ${title}\n\n${section}\n`);
      write(titles, { [title]: section });
    } catch (error) {
      console.error(`${title}: ${error.message}`);
      process.exitCode = 1;
    }
  }
} finally {
  build.close();
}
