// Sets the colour scheme before anything is painted, so that a dark page does not flash white.
// It is a file of its own because the content policy forbids inline scripts. The key is the one
// that src/theme/theme.ts hands to Mantine.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('binnacle.color-scheme');
  } catch (refused) {
    // Storage may be switched off; then the system's scheme holds.
  }
  var dark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  var scheme = chosen === 'dark' || chosen === 'light' ? chosen : dark ? 'dark' : 'light';
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme);
})();
