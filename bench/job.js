/** The process of one measurement: `node job.js NAME JSON` runs jobs/NAME.js and prints its result as JSON. */
const [name, argument] = process.argv.slice(2);
const { default: job } = await import(`./jobs/${name}.js`);
const result = await job(JSON.parse(argument));
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
