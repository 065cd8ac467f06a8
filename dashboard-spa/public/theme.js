// Sets the colour scheme before the first paint, so that a dark page never flashes white.
try {
  const stored = localStorage.getItem("trunkline-theme");
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const scheme = stored === "light" || stored === "dark" ? stored : system;
  document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
} catch {
  document.documentElement.setAttribute("data-mantine-color-scheme", "light");
}
