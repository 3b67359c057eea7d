/** Node.js, Deno and Bun: `script.js PEER`, with nothing bundled. Prints what start() gives. */
import { start } from "./start.js";

const [peer] = process.argv.slice(2);
console.log(JSON.stringify(await start(() => import(`./${peer}.js`))));
process.exit();
