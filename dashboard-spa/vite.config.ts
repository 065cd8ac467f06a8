/// <reference types="vitest/config" />
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

export default defineConfig({
  plugins: [react(), keepFolder],
  build: {
    target: "es2022",
    sourcemap: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: {
      "/carrier": backend,
      "/dashboard": { target: backend, ws: true },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test-setup.ts"],
  },
});
