/** The same through require(), which loads ES modules on Node 20.19 and later, and in Bun. */
const library = require("lstm-wasm");
const { runSuite } = require("./suite.js");

console.log(JSON.stringify(runSuite(library)));
