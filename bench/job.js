/**
 * The process of one measurement. `node job.js NAME JSON` runs jobs/NAME.js and sends its result to the
 * parent.
 */
const [name, argument] = process.argv.slice(2);
const { default: job } = await import(`./jobs/${name}.js`);
process.send(await job(JSON.parse(argument)));
