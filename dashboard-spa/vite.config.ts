/// <reference types="vitest/config" />
import { brotliCompressSync, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const backend = process.env.TRUNKLINE_URL ?? "http://127.0.0.1:8080";

/** `dist` is emptied by each build, but git has to keep the folder. */
const keepFolder: Plugin = {
  name: "keep-folder",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: ".gitignore", source: "*\n!.gitignore\n" });
  },
};

/** Text is compressed once, here: the server sends what it was built with. Browsers take Brotli over HTTPS only. */
const compress: Plugin = {
  name: "compress",
  generateBundle: {
    order: "post",
    handler(_, bundle) {
      for (const file of Object.values(bundle).filter((file) => /\.(js|css|svg)$/.test(file.fileName))) {
        const text = Buffer.from(file.type === "chunk" ? file.code : file.source);
        this.emitFile({
          type: "asset",
          fileName: `${file.fileName}.gz`,
          source: gzipSync(text, { level: 9 }),
        });
        this.emitFile({ type: "asset", fileName: `${file.fileName}.br`, source: brotliCompressSync(text) });
      }
    },
  },
};

export default defineConfig({
  plugins: [react(), keepFolder, compress],
  build: {
    target: "es2022",
    sourcemap: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: {
    // As objects, so that the Host stays the browser's: a write whose Origin is not its Host is refused.
    proxy: {
      "/carrier": { target: backend },
      "/dashboard": { target: backend, ws: true },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test-setup.ts"],
  },
});
