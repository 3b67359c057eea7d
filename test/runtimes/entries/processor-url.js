/** Where the bundled processor is; Vite makes it out of processor-url.vite.js instead. */
export default "./processor.js";
