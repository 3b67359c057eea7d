/** The same through require(), which loads ES modules on Node 20.19 and later, and in Bun. */
const library = require("lstm-wasm");
const models = require("lstm-wasm/models");
const threads = require("lstm-wasm/threads");
const { default: files } = require("./model-files.js");
const { reportThreads, runSuite } = require("./suite.js");

const report = runSuite(library, models, files);
reportThreads(library, threads).then((found) => console.log(JSON.stringify({ ...report, threads: found })));
