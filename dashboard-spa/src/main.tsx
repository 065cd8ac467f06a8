/** Starts the dashboard: theme, data, routes. */
import "@fontsource-variable/inter";
import "@fontsource-variable/jetbrains-mono";
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./app.css";
import "./api/http";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { makeQueryClient } from "./api/client";
import { watchFocus } from "./lib/focus";
import { watchPresses } from "./lib/press";
import { loadAllPages } from "./pages/page";
import { makeRouter } from "./router";
import { theme, variables } from "./theme";

const queryClient = makeQueryClient();
const router = makeRouter(queryClient);
const colorScheme = localStorageColorSchemeManager({ key: "trunkline-theme" });
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

const focus = watchFocus();
watchPresses();
// The first page is where a browser begins anyway.
router.subscribe("onRendered", ({ fromLocation, pathChanged }) => {
  if (fromLocation && pathChanged) focus.arrived();
});
createRoot(root).render(
  <MantineProvider
    theme={theme}
    cssVariablesResolver={variables}
    colorSchemeManager={colorScheme}
    defaultColorScheme="auto"
  >
    <QueryClientProvider client={queryClient}>
      {/* Below the head of the page, at the side where forms are not. */}
      <Notifications position="top-right" containerWidth={360} autoClose={4000} limit={3} />
      <RouterProvider router={router} />
    </QueryClientProvider>
  </MantineProvider>,
);
loadAllPages();
