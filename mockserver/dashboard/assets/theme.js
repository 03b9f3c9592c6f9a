// Runs before the page is painted, so that a remembered theme does not flash.
(() => {
  const root = document.documentElement;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const remembered = () => {
    try {
      return localStorage.getItem('theme');
    } catch {
      return null; // storage may be forbidden; the theme is then the system's
    }
  };
  const current = () => root.dataset.theme ?? (dark.matches ? 'dark' : 'light');
  const other = () => (current() === 'dark' ? 'light' : 'dark');

  const kept = remembered();
  if (kept === 'dark' || kept === 'light') root.dataset.theme = kept;

  document.addEventListener('DOMContentLoaded', () => {
    const button = document.getElementById('theme');
    if (!button) return;
    const label = () => { button.textContent = other() === 'dark' ? 'Dark theme' : 'Light theme'; };
    button.addEventListener('click', () => {
      root.dataset.theme = other();
      try {
        localStorage.setItem('theme', root.dataset.theme);
      } catch { /* then it holds for this visit */ }
      label();
    });
    dark.addEventListener('change', label);
    label();
  });
})();
