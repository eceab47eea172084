// Before the first paint: the reader's choice of light or dark, where one was made. Never more than that.
{
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}
