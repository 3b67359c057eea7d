/** An edge worker: starts at the first request, with the library's wasm as bytes and behind every address. */
import { start } from "./start.js";

export default {
  async fetch(request, { BINARY }) {
    return Response.json(await start(() => import("peer"), { binary: BINARY, address: request.url }));
  },
};
