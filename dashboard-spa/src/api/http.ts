/** Sets the generated Carrier API client up: same origin, refusals as `Problem`. */
import { client } from "../client/client.gen";
import { visibleJson, visibleResponse } from "../lib/visible";
import { toProblem } from "./problem";

client.setConfig({ baseUrl: "/carrier/v1", throwOnError: true, credentials: "same-origin" });
client.interceptors.response.use(visibleResponse);
client.interceptors.error.use((error, response) => toProblem(error, response as Response | undefined));

/** JSON over fetch for the few routes that are not in the OpenAPI document. */
export async function json<T>(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, credentials: "same-origin", headers: { Accept: "application/json" } };
  if (body !== undefined) {
    init.headers = { ...init.headers, "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init).catch((error: unknown) => {
    throw toProblem(error);
  });
  const text = await response.text();
  const parsed: unknown = text === "" ? undefined : parse(visibleJson(text));
  if (!response.ok) throw toProblem(parsed, response);
  return parsed as T;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
