/**
 * POST /score            scores of a whole sequence; nothing is kept
 * POST /streams/:id      scores of the next chunk of a stream, as if all its chunks had come in one call
 * DELETE /streams/:id    forgets the stream
 *
 * Scoring scales with the edge network, since it holds no state. A stream has one Durable Object, which Cloudflare starts near
 * its first client; different streams run on different machines.
 */
import { DurableObject } from "cloudflare:workers";
import { Tensor } from "lstm-wasm";
import { inputSize, score } from "./model.js";
import { BadRequest, readSequence } from "./sequence.js";

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    try {
      if (pathname === "/score") return await scoreOnce(request);
      const stream = /^\/streams\/([\w-]{1,64})$/.exec(pathname);
      if (stream) return await scoreNext(request, env.STREAMS.getByName(stream[1]));
      return refuse(404, "expected POST /score, POST /streams/:id or DELETE /streams/:id");
    } catch (error) {
      if (error instanceof BadRequest) return refuse(400, error.message);
      throw error;
    }
  },
};

async function scoreOnce(request) {
  if (request.method !== "POST") return refuse(405, "expected POST", { Allow: "POST" });
  const { scores } = score(await readSequence(request, inputSize()));
  return Response.json({ scores });
}

async function scoreNext(request, stream) {
  if (request.method === "DELETE") {
    await stream.forget();
    return new Response(null, { status: 204 });
  }
  if (request.method !== "POST") return refuse(405, "expected POST or DELETE", { Allow: "POST, DELETE" });
  return Response.json(await stream.append(await readSequence(request, inputSize())));
}

function refuse(status, error, headers) {
  return Response.json({ error }, { status, headers });
}

/** A stream's LSTM state, kept in storage: it survives the object's eviction from memory. */
export class StreamState extends DurableObject {
  /** @param {Float32Array} numbers the next time steps */
  async append(numbers) {
    // From here to put nothing else is awaited, and Durable Objects deliver no other request during storage operations, so
    // chunks that arrive at once are taken one after the other.
    const { steps = 0, h, c } = (await this.ctx.storage.get("state")) ?? {};
    const before = h && [new Tensor(h.data, h.shape), new Tensor(c.data, c.shape)];
    const { scores, state } = score(numbers, before);
    const [hN, cN] = state.map(({ data, shape }) => ({ data, shape: [...shape] }));
    await this.ctx.storage.put("state", { steps: steps + scores.length, h: hN, c: cN });
    return { scores, steps: steps + scores.length };
  }

  async forget() {
    await this.ctx.storage.deleteAll();
  }
}
