// A node written in TypeScript: it registers, sends a heartbeat and leaves. All of its
// types come from the OpenAPI document.
//
// Usage: node node.js URL TOKEN
import createClient from "openapi-fetch";
import type { components, paths } from "./nodes";

declare const process: { argv: string[] };

const [, , baseUrl, token] = process.argv;
const orchestratord = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

const registration: components["schemas"]["RegisterRequest"] = {
  node_id: "typescript-node",
  machine_id: "machine-alpha",
  address: "http://192.168.1.100:9200",
  pools: ["pool-0"],
  capabilities: { gpu_count: 1, total_vram_mb: 24000, cuda_version: "12.1" },
};

type Call<Answer> = { data?: Answer; error?: components["schemas"]["Problem"]; response: Response };

function accepted<Answer>(call: Call<Answer>): Answer {
  if (call.error !== undefined) throw new Error(`${call.response.status} ${call.error.code}: ${call.error.detail}`);
  return call.data as Answer;
}

const registered = accepted(await orchestratord.POST("/v2/nodes/register", { body: registration }));

const id = registered.node_id;
const beat = accepted(await orchestratord.POST("/v2/nodes/{id}/heartbeat", {
  params: { path: { id } },
  body: { timestamp: new Date().toISOString(), pools: [{ pool_id: "pool-0", ready: true, slots_free: 4 }] },
}));

const { nodes } = accepted(await orchestratord.GET("/v2/nodes"));

accepted(await orchestratord.DELETE("/v2/nodes/{id}", { params: { path: { id } } }));

const status = nodes.find((node) => node.node_id === id)?.status;
console.log(`${id} ${status}, next heartbeat in ${beat.next_heartbeat_ms} ms`);
