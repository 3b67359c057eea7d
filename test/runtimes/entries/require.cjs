/** The same through require(), which loads ES modules on Node 20.19 and later, and in Bun. */
const library = require("lstm-wasm");
const models = require("lstm-wasm/models");
const { default: files } = require("./model-files.js");
const { runSuite } = require("./suite.js");

console.log(JSON.stringify(runSuite(library, models, files)));
