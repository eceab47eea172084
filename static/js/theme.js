// Before the first paint: the reader's choice of light or dark and of a narrow rail. Never more than that.
{
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  document.documentElement.toggleAttribute("data-slim", localStorage.getItem("rail") === "slim");
}
