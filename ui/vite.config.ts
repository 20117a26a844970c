import { defineConfig } from "vite";

const hub = process.env["LINESHAFT_HUB"] ?? "http://127.0.0.1:8720";

export default defineConfig({
  base: "/",
  build: {
    outDir: "../src/lineshaft/web/static",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    manifest: true,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
    rolldownOptions: {
      onwarn(warning, warn) {
        // Libraries mark what runs in a browser; here everything does.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
  server: { proxy: { "/api": { target: hub, ws: true } } },
  preview: { proxy: { "/api": { target: hub, ws: true } } },
});
