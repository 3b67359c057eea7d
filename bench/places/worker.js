/** A worker or a service worker: starts when it is told where the files are. */
import { start } from "./start.js";

self.onmessage = async ({ data, ports: [port = self] }) => {
  port.postMessage(await start(() => import("peer"), data));
};
