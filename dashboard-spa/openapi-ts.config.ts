import { defineConfig } from "@hey-api/openapi-ts";

export default defineConfig({
  input: process.env.OPENAPI ?? "../schema/openapi/carrier.json",
  output: { path: process.env.CLIENT_OUT ?? "src/client", postProcess: [] },
  plugins: [
    { name: "@hey-api/client-fetch", baseUrl: false, throwOnError: true },
    "@hey-api/typescript",
    { name: "@hey-api/sdk", operations: { strategy: "flat" }, responseStyle: "data" },
  ],
});
